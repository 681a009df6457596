import { ApplicationFailure } from '@temporalio/workflow';
import { llm, summarized } from './activity-proxies.js';
import type { ArtifactId, NamedArtifact } from './contract/documents.js';
import type { StageInput } from './contract/explainer.js';
import type { MarkStartedResult } from './contract/jobs.js';
import { counted, runJob, type JobRun } from './job-run.js';
import {
  assembleVideo,
  captionArtifacts,
  drawPictures,
  sceneArtifacts,
  speakScenes,
  timeCaptions,
  type Production,
} from './scene-steps.js';
import { stagePlan } from './step-plan.js';

export interface StageResult {
  artifacts: NamedArtifact[];
}

/** One stage of an explainer on its own: artifacts in, artifacts out. */
export async function stage(input: StageInput): Promise<StageResult | null> {
  return runJob(input, stagePlan(input.stage), async (run, started) => {
    const artifacts = await produce(run, input, started);
    return { result: { artifacts }, artifacts };
  });
}

async function produce(run: JobRun, input: StageInput, started: MarkStartedResult): Promise<NamedArtifact[]> {
  const { options, pictures, voices } = input;
  const { ref, progress } = run;
  const production = (): Production => ({
    run,
    options,
    script: given(input.script, 'script'),
    sceneCount: given(started.sceneCount, 'script'),
  });

  switch (input.stage) {
    case 'content': {
      const { content } = await run.step('content', async () => {
        const writing = summarized(`in ${options.language}`, llm.writeContent, { ...ref, options });
        const result = await counted(progress, 'content', writing);
        progress.tell('content', result.message);
        return result;
      });
      return [{ kind: 'content', name: 'content.json', artifact: content }];
    }
    case 'scripts': {
      const content = given(input.content, 'content');
      const { script } = await run.step('scripts', async () => {
        const writing = summarized(`in ${options.language}`, llm.writeScript, { ...ref, content, options });
        const result = await counted(progress, 'scripts', writing);
        progress.tell('scripts', result.message);
        return result;
      });
      return [{ kind: 'script', name: 'script.json', artifact: script }];
    }
    case 'images':
      return sceneArtifacts('picture', await drawPictures(production()));
    case 'voices':
      return sceneArtifacts('voice', await speakScenes(production()));
    case 'captions':
      return captionArtifacts(await timeCaptions(production(), voices));
    case 'assembly': {
      const captions = given(input.captions, 'captions');
      const { assembled } = await assembleVideo({ run, options, pictures, voices, captions });
      return [{ kind: 'video', name: 'video.mp4', artifact: assembled.video }];
    }
  }
}

/** The API checks a stage's inputs; a job that came another way fails with a word on what it lacks. */
function given<T extends ArtifactId | number>(value: T | null, name: string): T {
  if (value !== null) return value;
  const detail = `This stage needs a ${name}.`;
  throw ApplicationFailure.create({
    type: 'stage_input_missing',
    message: detail,
    nonRetryable: true,
    details: [{ code: 'stage_input_missing', detail, step: null, retryable: false }],
  });
}
