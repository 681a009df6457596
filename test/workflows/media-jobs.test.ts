import { CancelledFailure } from '@temporalio/common';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { invalidInput } from '../../activities/failures.js';
import { createLab, until, type Lab, type RunningWorkers } from './lab.js';
import type { Call, SketchOptions } from './sketches.js';

let lab: Lab;
let calls: Call[];
let workers: RunningWorkers | undefined;

beforeAll(async () => {
  lab = await createLab();
});
afterEach(async () => {
  await workers?.stop();
  workers = undefined;
});
afterAll(async () => {
  await lab.close();
});

async function begin(before?: SketchOptions['before']): Promise<void> {
  calls = [];
  workers = await lab.startWorkers({ calls, ...(before === undefined ? {} : { before }) });
}

const inputs = {
  conversion: {
    source: `${'a'.repeat(64)}.mov`,
    options: { crf: 20, preset: 'medium', audioBitRate: 160_000, container: 'mp4' },
  },
  lipsync: { video: `${'a'.repeat(64)}.mp4`, audio: `${'b'.repeat(64)}.wav`, provider: 'viseme' },
};
const activityOf = { conversion: 'convertVideo', lipsync: 'syncLips' } as const;

async function run(type: keyof typeof inputs): Promise<string> {
  const id = await lab.acceptJob(type, inputs[type]);
  await lab.submit(id);
  return id;
}

describe.each(['conversion', 'lipsync'] as const)('%s', (type) => {
  it('makes one video', async () => {
    await begin();
    const id = await run(type);
    const job = await lab.ended(id);
    expect(job).toMatchObject({ status: 'completed', error: null, overall_progress: 100 });
    expect(job.result).toEqual({ durationSeconds: 2, width: 1280, height: 720, bytes: 1234 });
    expect(job.steps).toHaveLength(1);
    const artifacts = await lab.artifactsOf(id);
    expect(artifacts.map(({ kind, name }) => [kind, name])).toEqual([['video', 'video.mp4']]);
    const made = await lab.artifacts.readBytes(artifacts[0]?.artifact_id ?? '');
    expect(made.toString()).toContain('a'.repeat(64));
    expect(calls).toEqual([{ activity: activityOf[type], item: 0 }]);
  });

  it('fails with the words of its step', async () => {
    await begin(() => {
      throw invalidInput({ code: 'unreadable', detail: 'It cannot be read.' });
    });
    const job = await lab.ended(await run(type));
    const step = type === 'conversion' ? 'conversion' : 'lip_sync';
    expect(job.error).toEqual({ code: 'unreadable', detail: 'It cannot be read.', step, retryable: false });
    expect(job.steps).toMatchObject([{ stepName: step, status: 'failed' }]);
  });

  it('is cancelled at work', async () => {
    await begin(async (_call, signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      throw new CancelledFailure('stopped');
    });
    const id = await run(type);
    await until(
      () => Promise.resolve(calls),
      (made) => made.length > 0,
      20_000,
    );
    await lab.client.getHandle(id).cancel();
    expect(await lab.ended(id)).toMatchObject({ status: 'cancelled', error: null });
    expect(await lab.artifactsOf(id)).toEqual([]);
  });
});
