import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startE2eStack, type E2eStack } from './e2e-stack.js';
import { expectInvariants } from './invariants.js';
import { lookAtVideo } from './media-facts.js';
import type { Json } from './rest-client.js';
import { eventually } from './system-processes.js';

const sentence =
  'Water is lifted from the sea, carried over the land, and given back by every river that we know of. ';
const text = (count: number) => `# Water\n\n## Rain\n\n${sentence.repeat(count)}\n\n## Rivers\n\n${sentence}`;
const options = { sceneCount: 2, resolution: '720p' };
const body = { source: text(1), ...options };
/** Is not encoded before a cancel arrives, on any machine: the engine passes it on within eight seconds. */
const longBody = { source: text(12), sceneCount: 2, resolution: '1080p' };
const encodersMs = 10_000;

let stack: E2eStack;

beforeAll(async () => {
  stack = await startE2eStack();
});
afterAll(() => stack.stop());

const cancel = (id: string) => stack.client.call(`/jobs/${id}`, { method: 'DELETE' });
const encoders = () => stack.ffmpegs().filter((one) => one.args.includes('libx264'));

it('stops the encoder within ten seconds and leaves nothing half-made', async () => {
  const { client } = stack;
  const { id } = await client.accepted('/videos/generate', longBody);
  await eventually('a render', () => (encoders().length > 0 ? true : undefined));
  const askedAt = Date.now();
  expect((await cancel(id)).status).toBe(202);
  await eventually('ffmpeg to be gone', () => (stack.ffmpegs().length === 0 ? true : undefined), encodersMs);
  expect(Date.now() - askedAt).toBeLessThan(encodersMs);
  const job = await client.ended(id);
  expect(job).toMatchObject({ status: 'cancelled', error: null, result: null });
  const states = new Map(job.steps.map((step: Json) => [step.stepName, step.status]));
  expect(states.get('voices')).toBe('completed');
  expect(states.get('segments')).toBe('cancelled');
  expect(states.get('record')).toBe('cancelled');
  expect(await client.artifacts(id)).toEqual([]);
  expect((await client.call(`/jobs/${id}/download`)).status).toBe(409);
  expect((await client.call('/videos')).json.items).toEqual([]);
  const again = await cancel(id);
  expect([again.status, again.json.status]).toEqual([200, 'cancelled']);
  await expectInvariants(stack);
});

it('can be taken back: a retry completes with the finished steps from the cache, and then it is too late to cancel', async () => {
  const { client } = stack;
  const { id } = await client.accepted('/videos/generate', body);
  await eventually('a render', () => (encoders().length > 0 ? true : undefined));
  expect((await cancel(id)).status).toBe(202);
  const cancelled = await client.ended(id);
  expect(cancelled.status).toBe('cancelled');
  const retry = await client.accepted(`/jobs/${cancelled.id}/retry`, undefined);
  expect(retry).toMatchObject({ retryOf: cancelled.id, parameters: cancelled.parameters });
  const job = await client.completed(retry.id);
  for (const step of cancelled.steps.filter((one: Json) => one.status === 'completed')) {
    const same = job.steps.find((one: Json) => one.stepName === step.stepName);
    expect([step.stepName, same.cached]).toEqual([step.stepName, true]);
  }
  const { bytes } = await client.call(`/jobs/${retry.id}/download`);
  expect((await lookAtVideo(bytes, join(stack.dataDir, 'retried.mp4'))).decodingErrors).toBe('');
  const late = await cancel(retry.id);
  expect([late.status, late.json.status]).toEqual([200, 'completed']);
  await expectInvariants(stack);
});

it('works for twenty jobs at once', { timeout: 240_000 }, async () => {
  const { client } = stack;
  const accepted = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      client.accepted('/videos/generate', {
        ...body,
        source: `# Job ${n}\n\n${sentence.repeat(3)}`,
        sceneCount: 1,
      }),
    ),
  );
  // All of them are written and spoken before the first is rendered, which takes a slow machine a while.
  await eventually('a render', () => (encoders().length > 0 ? true : undefined), 120_000);
  const answers = await Promise.all(accepted.map(({ id }) => cancel(id)));
  expect(answers.every(({ status }) => status === 202 || status === 200)).toBe(true);
  await eventually('ffmpeg to be gone', () => (stack.ffmpegs().length === 0 ? true : undefined), encodersMs);
  for (const { id } of accepted) expect((await client.ended(id)).status).toBe('cancelled');
  await expectInvariants(stack);
});
