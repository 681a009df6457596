import { writeFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { freePort } from '../../cli/stack/free-port.js';
import { createSupervisor, type SupervisedProcess } from '../../cli/stack/process-supervisor.js';
import { startS3Server, type S3Settings } from '../support/s3-server.js';
import { createTestFolder } from '../support/services.js';
import { startE2eStack, type E2eStack } from './e2e-stack.js';
import { expectInvariants } from './invariants.js';
import { mountScratch, type SmallDisk } from './small-disk.js';
import { eventually } from './system-processes.js';

/**
 * Troubles that do not pass. The attempts and pauses are those of production, which is why both are waited for at
 * once: nothing is computed meanwhile.
 */
const attemptsMs = 240_000;

const supervisor = createSupervisor();
let folder: { path: string; remove(): Promise<void> };
let s3Options: Parameters<typeof startS3Server>[0];
let s3: { settings: S3Settings; process: SupervisedProcess };
let stack: E2eStack;
let scratchDisk: SmallDisk | undefined;

beforeAll(async () => {
  folder = await createTestFolder('exhausted');
  const dir = join(folder.path, 's3');
  s3Options = { programPath: inject('s3ProgramPath'), dir, port: await freePort(), supervisor };
  s3 = await startS3Server(s3Options);
  stack = await startE2eStack({
    env: {
      STORAGE: 's3',
      S3_ENDPOINT: s3.settings.endpoint,
      S3_BUCKET: s3.settings.bucket,
      S3_ACCESS_KEY_ID: s3.settings.accessKeyId,
      S3_SECRET_ACCESS_KEY: s3.settings.secretAccessKey,
    },
    prepare: async (dataDir) => {
      scratchDisk = await mountScratch(dataDir, 1);
    },
  });
});
afterAll(async () => {
  for (const worker of stack.workers()) await worker.stop();
  await scratchDisk?.unmount();
  await stack.stop();
  await supervisor.stopAll();
  await folder.remove();
});

/** Waits until each of these has been tried, so that its inputs are on this host. */
async function attempted(jobId: string, actions: string[]): Promise<void> {
  const [worker] = stack.workers();
  await eventually('the first attempts', async () => {
    const lines = (await readFile(worker?.logFile ?? '', 'utf8')).split('\n');
    const isTried = (action: string) =>
      lines.some((line) => line.includes(jobId) && line.includes(`"action":"${action}"`));
    return actions.every(isTried) ? true : undefined;
  });
}

function fill(disk: SmallDisk): void {
  expect(() => {
    writeFileSync(join(disk.path, 'filler'), Buffer.alloc(2 * 1024 * 1024));
  }).toThrow(/ENOSPC/);
}

it(
  'a disk that stays full and a storage that stays away end in an error that says so, after several attempts',
  { timeout: attemptsMs },
  async () => {
    const { client } = stack;
    const frame = { resolution: '720p' };
    const source = '# Bells\n\nA bell rings over the bay at noon.';
    const written = await client.completed((await client.accepted('/stages/content', { source })).id);
    const [content] = await client.artifacts(written.id);
    const scripted = await client.completed(
      (await client.accepted('/stages/scripts', { contentArtifact: content.id })).id,
    );
    const [script] = await client.artifacts(scripted.id);

    if (scratchDisk !== undefined) fill(scratchDisk);
    const full =
      scratchDisk === undefined ? undefined : await client.accepted('/videos/generate', { source, ...frame });
    if (full !== undefined) await attempted(full.id, ['renderSegment', 'mixAudio']);
    process.kill(s3.process.pid, 'SIGKILL');
    await s3.process.exited;
    const away = await client.accepted('/stages/images', {
      scriptArtifact: script.id,
      ...frame,
      theme: 'aurora',
    });

    const failed = await client.ended(away.id, attemptsMs);
    expect(failed).toMatchObject({
      status: 'failed',
      result: null,
      error: { code: 'storage_unavailable', step: 'images', retryable: true },
    });
    expect(Math.max(...((await stack.attempts(away.id)).get('drawPicture') ?? []))).toBeGreaterThan(3);

    if (full !== undefined) {
      const job = await client.ended(full.id, attemptsMs);
      expect(job).toMatchObject({
        status: 'failed',
        error: { code: 'disk_full', retryable: true },
        result: null,
      });
      expect(job.error.detail).not.toMatch(/\/|ENOSPC|tmp/);
      expect(job.steps.some((step: { status: string }) => step.status === 'failed')).toBe(true);
    }

    if (scratchDisk !== undefined) await rm(join(scratchDisk.path, 'filler'));
    s3 = await startS3Server({ ...s3Options, settings: s3.settings });
    await eventually('the storage to be back', async () =>
      (await client.call('//ready')).status === 200 ? true : undefined,
    );
    const retry = await client.accepted(`/jobs/${away.id}/retry`, undefined);
    await client.completed(retry.id);
    await expectInvariants(stack);
  },
);
