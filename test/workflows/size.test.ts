import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { maxScenes } from '../../workflows/contract/options.js';
import { windowSize } from '../../workflows/parallel.js';
import { createLab, type Lab, type RunningWorkers } from './lab.js';
import type { Call } from './sketches.js';

let lab: Lab;
let workers: RunningWorkers;
const calls: Call[] = [];

beforeAll(async () => {
  lab = await createLab();
  workers = await lab.startWorkers({
    calls,
    sceneCount: maxScenes,
  });
});

afterAll(async () => {
  await workers.stop();
  await lab.close();
});

it(`keeps a job of ${maxScenes} scenes small`, async () => {
  const id = await lab.runExplainer();
  const job = await lab.ended(id, 60_000);
  expect(job.status).toBe('completed');
  expect(calls).toHaveLength(3 * maxScenes + 7);
  // Every picture and voice is listed, with the file that its document names.
  const named = await lab.artifactsOf(id);
  for (const kind of ['picture', 'image', 'voice', 'audio']) {
    expect(named.filter((one) => one.kind === kind)).toHaveLength(maxScenes);
  }

  const { events } = await lab.client.getHandle(id).fetchHistory();
  const payloads = bytesOfPayloads(events ?? []);
  // Ids of all pictures, voices and segments are in some of them, so that this would notice a document.
  expect(Math.max(...payloads)).toBeGreaterThan(20_000);
  expect(Math.max(...payloads)).toBeLessThan(64 * 1024);
  expect(events?.length).toBeLessThan(10_000);
  // A window of pictures and one of voices, and no more.
  expect(mostPending(events ?? [])).toBe(2 * windowSize);
  expect(Buffer.byteLength(JSON.stringify(await lab.progress(id)))).toBeLessThan(64 * 1024);
});

it('keeps a stage of as many scenes small, too', async () => {
  const scripted = (await lab.artifactsOf(await lastJob())).find(({ kind }) => kind === 'script');
  const id = await lab.runStage({ stage: 'images', script: scripted?.artifact_id ?? '' });
  const job = await lab.ended(id, 60_000);
  expect(job.status).toBe('completed');
  const named = await lab.artifactsOf(id);
  expect(named.slice(0, 2).map(({ kind, name }) => [kind, name])).toEqual([
    ['picture', 'scene-001-picture.json'],
    ['picture', 'scene-002-picture.json'],
  ]);
  // The pictures themselves come with their documents.
  expect(named.filter(({ kind }) => kind === 'image')).toHaveLength(maxScenes);
  expect(named.at(-1)?.name).toBe(`scene-${maxScenes}-image.png`);
  const { events } = await lab.client.getHandle(id).fetchHistory();
  expect(Math.max(...bytesOfPayloads(events ?? []))).toBeLessThan(64 * 1024);
});

async function lastJob(): Promise<string> {
  const row = await lab.db
    .selectFrom('jobs')
    .select('id')
    .orderBy('created_at', 'desc')
    .executeTakeFirstOrThrow();
  return row.id;
}

type HistoryEvents = NonNullable<Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events']>;

/** The most activities that were scheduled and not over at any one time. */
function mostPending(events: HistoryEvents): number {
  let pending = 0;
  let most = 0;
  for (const event of events) {
    if (event.activityTaskScheduledEventAttributes != null) most = Math.max(most, (pending += 1));
    if (event.activityTaskCompletedEventAttributes != null) pending -= 1;
  }
  return most;
}

/** Sizes of every payload anywhere in the events. */
function bytesOfPayloads(value: unknown): number[] {
  if (value instanceof Uint8Array) return [value.byteLength];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(bytesOfPayloads);
}
