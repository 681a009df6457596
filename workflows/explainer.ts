import { CancellationScope } from '@temporalio/workflow';
import { media, orchestrationWithFiles, summarized } from './activity-proxies.js';
import type { NamedArtifact } from './contract/documents.js';
import type { ExplainerInput, ExplainerResult } from './contract/explainer.js';
import { writeScript } from './explainer-script.js';
import { counted, runJob } from './job-run.js';
import { both } from './parallel.js';
import { openReviewGate } from './review-gate.js';
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
      counted(
        run.progress,
        'thumbnail',
        summarized('a frame of the video', media.drawThumbnail, { ...run.ref, video, composition }),
      ),
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
        summarized(
          input.videoId === null ? 'a new video' : 'an edited video',
          orchestrationWithFiles.recordVideo,
          {
            ...run.ref,
            videoId: input.videoId,
            script: written.script,
            assembled,
            captions,
            thumbnail,
            artifacts,
          },
        ),
      ),
    );
    const { durationSeconds, bytes } = assembled;
    return { result: { videoId, durationSeconds, bytes }, artifacts };
  });
}
