import { llm, orchestration, orchestrationWithFiles, summarized } from './activity-proxies.js';
import type { ArtifactId, NamedArtifact } from './contract/documents.js';
import type { ExplainerInput, WriteScriptResult } from './contract/explainer.js';
import { counted, type JobRun } from './job-run.js';
import type { ReviewGate } from './review-gate.js';

export interface Written {
  script: ArtifactId;
  sceneCount: number;
  artifacts: NamedArtifact[];
}

/**
 * The script of an explainer: written and, if its user wishes, reviewed, or that of a video with its edits.
 * @param isEdited whether the row has edits already, of a review before or of a scene of the video.
 */
export async function writeScript(
  run: JobRun,
  input: ExplainerInput,
  { gate, isEdited }: { gate: ReviewGate; isEdited: boolean },
): Promise<Written> {
  const { options, videoId } = input;
  const { ref, progress } = run;
  if (videoId !== null) {
    progress.skip('content', 'the video stands already');
    const edited = await run.step('scripts', () =>
      counted(
        progress,
        'scripts',
        summarized('edits of a scene', orchestrationWithFiles.editScript, { ...ref, script: null, videoId }),
      ),
    );
    return { ...edited, artifacts: [scriptArtifact(edited)] };
  }

  const { content, message } = await run.step('content', async () => {
    const writing = summarized(`in ${options.language}`, llm.writeContent, { ...ref, options });
    const result = await counted(progress, 'content', writing);
    progress.tell('content', result.message);
    return result;
  });
  const contentArtifact = { kind: 'content', name: 'content.json', artifact: content };
  let script = await run.step('scripts', async () => {
    const writing = summarized(`in ${options.language}`, llm.writeScript, { ...ref, content, options });
    const result = await counted(progress, 'scripts', writing);
    progress.tell('scripts', result.message ?? message);
    if (!isEdited) return result;
    // A job that is tried again was reviewed before: its user finds the script as they left it.
    return summarized('edits of an earlier review', orchestrationWithFiles.editScript, {
      ...ref,
      script: result.script,
      videoId: null,
    });
  });

  if (options.review === 'script') {
    progress.status = 'awaiting_approval';
    const { hasEdits } = await gate.decision('scripts', () =>
      run.within('scripts', () =>
        summarized('review of the script', orchestration.markAwaitingApproval, {
          ...ref,
          artifacts: [scriptArtifact(script), contentArtifact],
        }),
      ),
    );
    progress.status = 'in_progress';
    script = await run.within('scripts', async () => {
      await summarized('reviewed', orchestration.markStarted, { ...ref, script: null });
      if (!hasEdits) return script;
      return summarized('edits of the review', orchestrationWithFiles.editScript, {
        ...ref,
        script: script.script,
        videoId: null,
      });
    });
  }
  return { ...script, artifacts: [scriptArtifact(script), contentArtifact] };
}

function scriptArtifact({ script }: WriteScriptResult): NamedArtifact {
  return { kind: 'script', name: 'script.json', artifact: script };
}
