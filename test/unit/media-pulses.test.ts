import { expect, it } from 'vitest';
import type { GenerationCache } from '../../activities/cached.js';
import { createMixAudio } from '../../activities/media/audio/mix-audio.js';
import { createTimeCaptions } from '../../activities/media/captions/time-captions.js';
import { createPlanComposition } from '../../activities/media/plan-composition.js';
import type { ExplainerOptions } from '../../workflows/contract/options.js';
import { createQuietEnvironment, runActivity } from '../support/quiet-environment.js';

const ids = { jobId: 'a', userId: 'b' };
const options: ExplainerOptions = {
  ...{ language: 'en', sceneCount: null, aspectRatio: '16:9', resolution: '720p', theme: 'paper' },
  voice: { provider: 'espeak', voiceId: null, speed: 1 },
  captions: { mode: 'burned', style: 'classic' },
  ...{ music: null, images: { provider: 'slides' }, transition: 'cut', motion: 'none', review: null },
};

/** Another caller makes the same and does not come to an end. */
const busy: GenerationCache = {
  through: (_name, _produce, signal) =>
    new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => {
        reject(signal.reason as Error);
      });
    }),
};

const script = { language: 'en', scenes: [{ narration: 'One.' }] };
const documents: Record<string, unknown> = { script, composition: { audio: { clips: [] } } };
const artifacts = {
  readJson: <T>(id: string) => Promise.resolve(documents[id] as T),
  fetch: never,
  publishBytes: never,
  publishFile: never,
  publishJson: never,
  readBytes: never,
};
const deps = {
  artifacts,
  cache: busy,
  scratchDir: 'nowhere',
  tools: { ffmpegPath: 'none', ffprobePath: 'none' },
};

const timing = { ...ids, script: 'script', voices: ['voice'], options };
const planning = { ...ids, pictures: ['picture'], voices: ['voice'], captions: 'captions', options };

it.concurrent.each([
  ['timeCaptions', 'captions', (env: Environment) => runActivity(createTimeCaptions(deps), timing, env)],
  [
    'planComposition',
    'segments',
    (env: Environment) => runActivity(createPlanComposition(deps), planning, env),
  ],
  [
    'mixAudio',
    'assembly',
    (env: Environment) => runActivity(createMixAudio(deps), { ...ids, composition: 'composition' }, env),
  ],
])(
  '%s tells that it lives while it waits, and stops waiting when its job is cancelled',
  async (_name, step, run) => {
    const environment = createQuietEnvironment();
    const beats: unknown[] = [];
    const lively = new Promise<void>((resolve) => {
      environment.on('heartbeat', (beat) => {
        if (beats.push(beat) === 3) resolve();
      });
    });
    const running = run(environment).catch((error: unknown) => error);
    await lively;
    environment.cancel('CANCELLED');
    expect(await running).toMatchObject({ message: 'CANCELLED' });
    expect(beats[2]).toMatchObject({ step, item: 0, fraction: 0 });
  },
);

type Environment = ReturnType<typeof createQuietEnvironment>;

function never(): Promise<never> {
  return Promise.reject(new Error('nothing is made here'));
}
