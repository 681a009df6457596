import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { CancelledFailure } from '@temporalio/common';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { invalidInput, transientFailure } from '../../activities/failures.js';
import { createLab, until, type Lab, type RunningWorkers } from '../workflows/lab.js';
import type { Call, SketchOptions } from '../workflows/sketches.js';
import { writeHistory } from './history-json.js';

/** Records one history a test. Not part of the suite: see record.ts. */
const folder = fileURLToPath(new URL('./histories/', import.meta.url));

export let lab: Lab;
let calls: Call[];
let workers: RunningWorkers | undefined;

beforeAll(async () => {
  lab = await createLab();
  await mkdir(folder, { recursive: true });
});

afterEach(async () => {
  await workers?.stop();
});

afterAll(async () => {
  await lab.close();
});

export async function begin(before?: SketchOptions['before']): Promise<void> {
  calls = [];
  workers = await lab.startWorkers({ calls, ...(before === undefined ? {} : { before }) });
}

export const seen = (activity: string) =>
  until(
    () => Promise.resolve(calls),
    (made) => made.some((call) => call.activity === activity),
    15_000,
  );

export async function keep(name: string, id: string): Promise<void> {
  await lab.ended(id);
  await keepHistory(name, id);
}

export async function keepHistory(name: string, id: string, runId?: string): Promise<void> {
  const handle = lab.client.getHandle(id, runId);
  await handle.result().catch(() => undefined);
  await writeFile(`${folder}${name}.json`, writeHistory(await handle.fetchHistory()));
}

export const failAt =
  (name: string) =>
  ({ activity }: Call): Promise<void> => {
    if (activity !== name) return Promise.resolve();
    throw invalidInput({ code: 'broken', detail: 'It cannot be read.' });
  };

export const waitAt =
  (name: string) =>
  async ({ activity }: Call, signal: AbortSignal): Promise<void> => {
    if (activity !== name) return;
    await new Promise((resolve) => {
      signal.addEventListener('abort', resolve);
    });
    throw new CancelledFailure('stopped');
  };

/** The first attempt at it finds its provider busy. */
export function busyOnce(name: string): SketchOptions['before'] {
  let isFirst = true;
  return ({ activity }) => {
    if (activity !== name || !isFirst) return Promise.resolve();
    isFirst = false;
    throw transientFailure({ code: 'busy', detail: 'Busy.', retryAfterSeconds: 0.1 });
  };
}
