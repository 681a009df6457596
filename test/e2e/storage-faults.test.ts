import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { freePort } from '../../cli/stack/free-port.js';
import { createSupervisor } from '../../cli/stack/process-supervisor.js';
import { startS3Server, type S3Settings } from '../support/s3-server.js';
import { createTestFolder } from '../support/services.js';
import { startS3Proxy, type S3Fate, type S3Proxy } from '../support/wire/s3-proxy.js';
import { startE2eStack, type E2eStack } from './e2e-stack.js';
import { expectInvariants } from './invariants.js';
import { lookAtVideo } from './media-facts.js';
import { eventually } from './system-processes.js';

const request = (salt: string) => ({
  source: `# Lights\n\n## ${salt} north\n\nA keeper trims the lamp.\n\n## ${salt} south\n\nShips pass until morning.`,
  sceneCount: 2,
  resolution: '720p',
  motion: 'none',
});

const supervisor = createSupervisor();
let folder: { path: string; remove(): Promise<void> };
let settings: S3Settings;
let proxy: S3Proxy;
let stack: E2eStack;

beforeAll(async () => {
  folder = await createTestFolder('storage-faults');
  const programPath = inject('s3ProgramPath');
  ({ settings } = await startS3Server({ programPath, dir: folder.path, port: await freePort(), supervisor }));
  proxy = await startS3Proxy(settings.endpoint, settings.bucket);
  stack = await startE2eStack({
    workers: 1,
    env: {
      STORAGE: 's3',
      S3_ENDPOINT: proxy.endpoint,
      S3_BUCKET: settings.bucket,
      S3_ACCESS_KEY_ID: settings.accessKeyId,
      S3_SECRET_ACCESS_KEY: settings.secretAccessKey,
    },
  });
});
afterAll(async () => {
  await stack.stop();
  await proxy.close();
  await supervisor.stopAll();
  await folder.remove();
});

/** What lies in the bucket, asked of the server itself. */
async function storedArtifacts(): Promise<string[]> {
  const { endpoint, bucket } = settings;
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials: settings });
  const { Contents = [] } = await client.send(
    new ListObjectsV2Command({ Bucket: bucket, Prefix: 'artifacts/', MaxKeys: 1_000 }),
  );
  client.destroy();
  return Contents.map(({ Key = '' }) => Key.replace('artifacts/', '')).toSorted();
}

const knownArtifacts = async () =>
  (await stack.db.selectFrom('artifacts').select('id').execute()).map(({ id }) => id).toSorted();

async function expectPlayable(id: string): Promise<void> {
  const { bytes } = await stack.client.call(`/jobs/${id}/download`);
  const facts = await lookAtVideo(bytes, join(stack.dataDir, `${id}.mp4`));
  expect(facts.decodingErrors).toBe('');
}

describe('a worker that is killed when its object is stored and nobody has heard of it', () => {
  it.each([
    ['a voice', '.wav'],
    ['a segment', '.mp4'],
  ])('leaves one artifact: %s', async (_what, extension) => {
    const { client } = stack;
    const stored: string[] = [];
    proxy.onDone = async ({ method, key }) => {
      if (method !== 'PUT' || !key.endsWith(extension) || stored.length > 0) return;
      stored.push(key.replace('artifacts/', ''));
      await killWorkers();
    };
    const { id } = await client.accepted('/videos/generate', request(`kill at ${extension}`));
    const lost = await eventually('the object to be stored', () => stored[0]);
    await eventually('the worker to be gone', () => (stack.workers().length === 0 ? true : undefined));
    proxy.onDone = () => undefined;
    // Its row would have come next.
    expect(await knownArtifacts()).not.toContain(lost);
    expect(await storedArtifacts()).toContain(lost);

    await stack.startWorker();
    await client.completed(id);
    const attempts = await stack.attempts(id);
    expect(Math.max(...[...attempts.values()].flat())).toBeGreaterThan(1);
    expect(await knownArtifacts()).toContain(lost);
    expect(await storedArtifacts()).toEqual(await knownArtifacts());
    await expectPlayable(id);
    await expectInvariants(stack);
  });
});

describe('a storage that fails one call in five', () => {
  it('refusing, cutting off and losing answers, costs no job', async () => {
    const seed = randomInt(2 ** 31);
    console.log(`seed of the faults: ${seed}`);
    const next = randomNumbers(seed);
    const faults: S3Fate[] = ['refuse', 'cut', 'lose-answer'];
    proxy.fate = () => (next() < 0.2 ? (faults[Math.floor(next() * faults.length)] ?? 'refuse') : 'pass');
    const before = { ...proxy.met };
    const { client } = stack;
    try {
      const { id } = await client.accepted('/videos/generate', request(`faults ${seed}`));
      await client.completed(id);
      const met = faults.map((fate) => proxy.met[fate] - before[fate]);
      for (const count of met) expect(count).toBeGreaterThan(0);
      const failed = met.reduce((sum, count) => sum + count, 0);
      const share = failed / (failed + proxy.met.pass - before.pass);
      expect(share).toBeGreaterThan(0.1);
      expect(share).toBeLessThan(0.3);
      proxy.fate = () => 'pass';
      await expectPlayable(id);
    } finally {
      proxy.fate = () => 'pass';
    }
    expect(await storedArtifacts()).toEqual(await knownArtifacts());
    await expectInvariants(stack);
  });
});

async function killWorkers(): Promise<void> {
  const workers = stack.workers();
  for (const { pid } of workers) process.kill(pid, 'SIGKILL');
  await Promise.all(workers.map((worker) => worker.exited));
}

/** Numbers in [0, 1) that follow from the seed (mulberry32, public domain). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
