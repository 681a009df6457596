import { CancellationScope } from '@temporalio/workflow';
import { llm, media, orchestration, orchestrationWithFiles } from './activity-proxies.js';
import type { ArtifactId, NamedArtifact } from './contract/documents.js';
import type { ExplainerInput, ExplainerResult, WriteScriptResult } from './contract/explainer.js';
import { counted, runJob, type JobRun } from './job-run.js';
import { both } from './parallel.js';
import { openReviewGate, type ReviewGate } from './review-gate.js';
import {
  assembleVideo,
  captionArtifacts,
  drawPictures,
  sceneArtifacts,
  speakScenes,
  timeCaptions,
  type Production,
} from './scene-steps.js';
import { explainerPlan } from './step-plan.js';

/**
 * From a prompt, a source text or one edited scene to a video in the gallery. Pictures and voices need only
 * the script, so they are made at once, and so are segments and sound. Null when the script was rejected.
 */
export async function explainer(input: ExplainerInput): Promise<ExplainerResult | null> {
  const { options } = input;
  const gate = openReviewGate();
  return runJob(input, explainerPlan, async (run, { hasEdits }) => {
    const written = await writeScript(run, input, { gate, isEdited: hasEdits === true });
    const production: Production = { run, ...written, options };

    const [pictures, { voices, captions }] = await both(
      () => drawPictures(production),
      async () => {
        const spoken = await speakScenes(production);
        return { voices: spoken, captions: await timeCaptions(production, spoken) };
      },
    );
    const { assembled, composition } = await assembleVideo({
      run,
      options,
      pictures,
      voices,
      captions: captions.captions,
    });
    const { video } = assembled;
    const { thumbnail } = await run.step('thumbnail', () =>
      counted(run.progress, 'thumbnail', media.drawThumbnail({ ...run.ref, video, composition })),
    );

    const artifacts: NamedArtifact[] = [
      { kind: 'video', name: 'video.mp4', artifact: video },
      { kind: 'thumbnail', name: 'thumbnail.webp', artifact: thumbnail },
      ...captionArtifacts(captions),
      ...written.artifacts,
      ...sceneArtifacts('picture', pictures),
      ...sceneArtifacts('voice', voices),
    ];
    // From here on the video stands in the gallery and is paid, so a cancel that comes now is too late.
    const { videoId } = await CancellationScope.nonCancellable(() =>
      run.step('record', () =>
        orchestrationWithFiles.recordVideo({
          ...run.ref,
          videoId: input.videoId,
          script: written.script,
          assembled,
          captions,
          thumbnail,
          artifacts,
        }),
      ),
    );
    const { durationSeconds, bytes } = assembled;
    return { result: { videoId, durationSeconds, bytes }, artifacts };
  });
}

interface Written {
  script: ArtifactId;
  sceneCount: number;
  artifacts: NamedArtifact[];
}

/** @param isEdited whether the row has edits, of a review before or of a scene of the video. */
async function writeScript(
  run: JobRun,
  input: ExplainerInput,
  { gate, isEdited }: { gate: ReviewGate; isEdited: boolean },
): Promise<Written> {
  const { options, videoId } = input;
  const { ref, progress } = run;
  if (videoId !== null) {
    progress.skip('content', 'the video stands already');
    const edited = await run.step('scripts', () =>
      counted(progress, 'scripts', orchestrationWithFiles.editScript({ ...ref, script: null, videoId })),
    );
    return { ...edited, artifacts: [scriptArtifact(edited)] };
  }

  const { content, message } = await run.step('content', async () => {
    const result = await counted(progress, 'content', llm.writeContent({ ...ref, options }));
    progress.tell('content', result.message);
    return result;
  });
  const contentArtifact = { kind: 'content', name: 'content.json', artifact: content };
  let script = await run.step('scripts', async () => {
    const result = await counted(progress, 'scripts', llm.writeScript({ ...ref, content, options }));
    progress.tell('scripts', result.message ?? message);
    if (!isEdited) return result;
    // A job that is tried again was reviewed before: its user finds the script as they left it.
    return orchestrationWithFiles.editScript({ ...ref, script: result.script, videoId: null });
  });

  if (options.review === 'script') {
    progress.status = 'awaiting_approval';
    const { hasEdits } = await gate.decision('scripts', () =>
      run.within('scripts', () =>
        orchestration.markAwaitingApproval({
          ...ref,
          artifacts: [scriptArtifact(script), contentArtifact],
        }),
      ),
    );
    progress.status = 'in_progress';
    script = await run.within('scripts', async () => {
      await orchestration.markStarted({ ...ref, script: null });
      return hasEdits
        ? orchestrationWithFiles.editScript({ ...ref, script: script.script, videoId: null })
        : script;
    });
  }
  return { ...script, artifacts: [scriptArtifact(script), contentArtifact] };
}

function scriptArtifact({ script }: WriteScriptResult): NamedArtifact {
  return { kind: 'script', name: 'script.json', artifact: script };
}
