import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startE2eStack, type E2eStack } from './e2e-stack.js';
import { expectInvariants } from './invariants.js';
import { lookAtVideo } from './media-facts.js';
import type { Json } from './rest-client.js';
import { eventually } from './system-processes.js';

const sentence =
  'Water is lifted from the sea, carried over the land, and given back by every river that we know of. ';
const body = {
  source: `# Water\n\n## Rain\n\n${sentence.repeat(3)}\n\n## Rivers\n\n${sentence}`,
  sceneCount: 2,
  resolution: '1080p',
};
const encodersMs = 10_000;

let stack: E2eStack;
let cancelled: Json;

beforeAll(async () => {
  stack = await startE2eStack();
});
afterAll(() => stack.stop());

const cancel = (id: string) => stack.client.call(`/jobs/${id}`, { method: 'DELETE' });
const encoders = () => stack.ffmpegs().filter((one) => one.args.includes('libx264'));

it('stops the encoder within ten seconds and leaves nothing half-made', async () => {
  const { client } = stack;
  const { id } = await client.accepted('/videos/generate', body);
  await eventually('a render', () => (encoders().length > 0 ? true : undefined));
  const askedAt = Date.now();
  expect((await cancel(id)).status).toBe(202);
  await eventually('ffmpeg to be gone', () => (stack.ffmpegs().length === 0 ? true : undefined), encodersMs);
  expect(Date.now() - askedAt).toBeLessThan(encodersMs);
  cancelled = await client.ended(id);
  expect(cancelled).toMatchObject({ status: 'cancelled', error: null, result: null });
  const states = new Map(cancelled.steps.map((step: Json) => [step.stepName, step.status]));
  expect(states.get('voices')).toBe('completed');
  expect(states.get('segments')).toBe('cancelled');
  expect(states.get('record')).toBe('cancelled');
  expect(await client.artifacts(id)).toEqual([]);
  expect((await client.call(`/jobs/${id}/download`)).status).toBe(409);
  expect((await client.call('/videos')).json.items).toEqual([]);
  await expectInvariants(stack);
});

it('is a no-op with 200 when it comes again or too late', async () => {
  const again = await cancel(cancelled.id);
  expect([again.status, again.json.status]).toEqual([200, 'cancelled']);
});

it('can be taken back: a retry completes, with the finished steps from the cache', async () => {
  const { client } = stack;
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

it('works for twenty jobs at once', async () => {
  const { client } = stack;
  const accepted = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      client.accepted('/videos/generate', { ...body, source: `# Job ${n}\n\n${sentence.repeat(3)}` }),
    ),
  );
  await eventually('a render', () => (encoders().length > 0 ? true : undefined));
  const answers = await Promise.all(accepted.map(({ id }) => cancel(id)));
  expect(answers.every(({ status }) => status === 202 || status === 200)).toBe(true);
  await eventually('ffmpeg to be gone', () => (stack.ffmpegs().length === 0 ? true : undefined), encodersMs);
  for (const { id } of accepted) expect((await client.ended(id)).status).toBe('cancelled');
  await expectInvariants(stack);
});
