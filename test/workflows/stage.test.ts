import { afterAll, beforeAll, expect, it } from 'vitest';
import type { StageInput } from '../../workflows/contract/explainer.js';
import { createLab, type Lab, type RunningWorkers } from './lab.js';
import type { Call } from './sketches.js';

let lab: Lab;
let workers: RunningWorkers;
const calls: Call[] = [];

beforeAll(async () => {
  lab = await createLab();
  workers = await lab.startWorkers({ calls });
});

afterAll(async () => {
  await workers.stop();
  await lab.close();
});

it('leads from a topic to a video, one stage after the other', async () => {
  const content = await make({ stage: 'content' });
  expect(content.kinds).toEqual(['content']);
  expect(content.steps).toEqual(['content']);

  const scripts = await make({ stage: 'scripts', content: content.only('content') });
  expect(scripts.kinds).toEqual(['script']);

  const script = scripts.only('script');
  const images = await make({ stage: 'images', script });
  expect(images.kinds).toEqual(['picture', 'picture', 'picture', 'image', 'image', 'image']);

  const voices = await make({ stage: 'voices', script });
  expect(voices.kinds).toEqual(['voice', 'voice', 'voice', 'audio', 'audio', 'audio']);
  expect(voices.names).toContain('scene-002-audio.wav');

  const captions = await make({ stage: 'captions', script, voices: voices.all('voice') });
  expect(captions.kinds).toEqual(['captions', 'vtt', 'srt', 'ass']);

  calls.length = 0;
  const assembly = await make({
    stage: 'assembly',
    pictures: images.all('picture'),
    voices: voices.all('voice'),
    captions: captions.only('captions'),
  });
  expect(assembly.kinds).toEqual(['video']);
  expect(assembly.steps).toEqual(['segments', 'assembly']);
  expect(calls.map(({ activity }) => activity).sort()).toEqual([
    'assemble',
    'mixAudio',
    'planComposition',
    'renderSegment',
    'renderSegment',
    'renderSegment',
  ]);
});

async function make(input: Partial<StageInput> & Pick<StageInput, 'stage'>) {
  const job = await lab.ended(await lab.runStage(input));
  expect(job).toMatchObject({ status: 'completed', overall_progress: 100, error: null });
  const named = await lab.artifactsOf(job.id);
  const all = (kind: string) => named.filter((one) => one.kind === kind).map((one) => one.artifact_id);
  return {
    kinds: named.map(({ kind }) => kind),
    names: named.map(({ name }) => name),
    steps: job.steps.map(({ stepName }) => stepName),
    all,
    only: (kind: string) => all(kind)[0] ?? '',
  };
}
