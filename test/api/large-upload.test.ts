import { statfs } from 'node:fs/promises';
import { setInterval } from 'node:timers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sendLargeVideo } from '../support/large-upload.js';
import { createTestFolder } from '../support/services.js';
import { startApi, type TestApi } from './support.js';
import { leftovers, makeMedia, testPicture } from './uploads.js';

const bytes = 400 * 1024 ** 2;
let api: TestApi;
let mp4: Buffer;

beforeAll(async () => {
  api = await startApi();
  mp4 = await makeMedia((await createTestFolder('large')).path, 'v.mp4', [...testPicture, '-c:v', 'libx264']);
});
afterAll(() => api.stop());

it.each([
  ['that says how long it is', true],
  ['that does not', false],
])('takes 400 MiB in a body %s, in the memory of a few chunks', async (_what, isSized) => {
  const { token } = await api.register();
  const disk = await statfs(api.intakeDir);
  expect(disk.bavail * disk.bsize).toBeGreaterThan(3 * bytes);
  // The first one loads and compiles what the others use.
  expect((await sendLargeVideo(api.url, token, { mp4, bytes: 8e6, isSized })).status).toBe(201);
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  let peak = before;
  const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 10);
  const answer = await sendLargeVideo(api.url, token, { mp4, bytes, isSized });
  clearInterval(timer);
  const asset = JSON.parse(answer.body) as { bytes: number; contentType: string };
  expect([answer.status, asset.bytes, asset.contentType]).toEqual([201, bytes, 'video/mp4']);
  expect((peak - before) / 1e6).toBeLessThan(50);
  expect((await leftovers(api)).intake).toEqual([]);
});
