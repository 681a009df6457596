import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { freePort } from '../../cli/stack/free-port.js';
import { startPostgres, type PostgresServer } from '../../cli/stack/postgres.js';
import { createSupervisor, type SupervisedProcess } from '../../cli/stack/process-supervisor.js';
import { startTemporal, type TemporalOptions, type TemporalServer } from '../../cli/stack/temporal.js';
import { startS3Server, type S3Settings } from '../support/s3-server.js';
import { createTestFolder } from '../support/services.js';
import { startE2eStack, type E2eStack } from './e2e-stack.js';
import { expectInvariants } from './invariants.js';
import { lookAtVideo } from './media-facts.js';
import type { Json } from './rest-client.js';
import { mountScratch, type SmallDisk } from './small-disk.js';
import { eventually } from './system-processes.js';

const sentence =
  'A lighthouse keeper climbs the stairs at dusk, trims the lamp, and watches the ships pass until morning. ';
const request = (salt: string) => ({
  source: `# Lights\n\n## ${salt} north\n\n${sentence}\n\n## ${salt} south\n\n${sentence}`,
  sceneCount: 2,
  resolution: '720p',
});
const short = (salt: string) => ({
  source: `# ${salt}\n\nThis line is ${salt}.`,
  resolution: '720p',
  motion: 'none',
});
/** Room for what is rendered, and little enough to fill. */
const scratchMegabytes = 48;

const supervisor = createSupervisor();
let folder: { path: string; remove(): Promise<void> };
let temporalOptions: TemporalOptions;
let temporal: TemporalServer;
let postgresOptions: Parameters<typeof startPostgres>[0];
let postgres: PostgresServer;
let s3Options: Parameters<typeof startS3Server>[0];
let s3: { settings: S3Settings; process: SupervisedProcess };
let stack: E2eStack;
let scratchDisk: SmallDisk | undefined;

beforeAll(async () => {
  folder = await createTestFolder('outages');
  temporalOptions = {
    cliPath: inject('temporalCliPath'),
    port: await freePort(),
    databaseFile: join(folder.path, 'temporal.db'),
    logFile: join(folder.path, 'temporal.log'),
    supervisor,
  };
  postgresOptions = { dir: join(folder.path, 'postgres'), port: await freePort(), supervisor };
  s3Options = {
    programPath: inject('s3ProgramPath'),
    dir: join(folder.path, 's3'),
    port: await freePort(),
    supervisor,
  };
  [temporal, postgres, s3] = await Promise.all([
    startTemporal(temporalOptions),
    startPostgres(postgresOptions),
    startS3Server(s3Options),
  ]);
  stack = await startE2eStack({
    databaseUrl: postgres.url,
    temporalAddress: temporal.address,
    env: {
      STORAGE: 's3',
      S3_ENDPOINT: s3.settings.endpoint,
      S3_BUCKET: s3.settings.bucket,
      S3_ACCESS_KEY_ID: s3.settings.accessKeyId,
      S3_SECRET_ACCESS_KEY: s3.settings.secretAccessKey,
    },
    prepare: async (dataDir) => {
      scratchDisk = await mountScratch(dataDir, scratchMegabytes);
    },
  });
});
afterAll(async () => {
  // What is mounted has to go before the folder does.
  for (const worker of stack.workers()) await worker.stop();
  await scratchDisk?.unmount();
  await stack.stop();
  await supervisor.stopAll();
  await folder.remove();
});
afterEach(() => {
  expect(stack.workers()).toHaveLength(1);
  expect(stack.api().isRunning()).toBe(true);
});

async function kill(server: SupervisedProcess): Promise<void> {
  process.kill(server.pid, 'SIGKILL');
  await server.exited;
}

const rendering = () =>
  eventually('a render', () =>
    stack.ffmpegs().some((one) => one.args.includes('libx264')) ? true : undefined,
  );

async function expectPlayable(job: Json, name: string): Promise<void> {
  const { bytes } = await stack.client.call(`/jobs/${job.id}/download`);
  const facts = await lookAtVideo(bytes, join(stack.dataDir, `${name}.mp4`));
  expect(facts.decodingErrors).toBe('');
  expect(Math.abs(facts.durationSeconds - job.result.durationSeconds)).toBeLessThanOrEqual(1 / 30);
}

async function ready(): Promise<{ status: number; checks: Json }> {
  const { status, json } = await stack.client.call('//ready');
  return { status, checks: json.checks };
}

/** What the worker's log says of attempts that failed, newest last. */
async function failuresOf(jobId: string): Promise<string[]> {
  const [worker] = stack.workers();
  const lines = (await readFile(worker?.logFile ?? '', 'utf8'))
    .split('\n')
    .filter((line) => line.includes(jobId));
  return lines
    .map((line): Json => JSON.parse(line))
    .filter((line) => line.success === false)
    .map((line) => String(line.info?.failure));
}

describe('Temporal killed', () => {
  it('in the middle of a job: that one finishes, and what is posted meanwhile is accepted and runs', async () => {
    const { client } = stack;
    const running = await client.accepted('/videos/generate', request('east'));
    await rendering();
    await kill(temporal.process);
    const posted = await client.accepted('/videos/generate', short('early'));
    expect(posted.status).toBe('queued');
    expect((await client.job(posted.id)).status).toBe('queued');
    expect((await client.job(running.id)).status).toBe('in_progress');
    await eventually('not to be ready', async () => ((await ready()).status === 503 ? true : undefined));
    expect((await ready()).checks).toMatchObject({ temporal: 'down', database: 'up', storage: 'up' });
    const revoked = await client.accepted('/videos/generate', short('revoked'));
    expect((await client.call(`/jobs/${revoked.id}`, { method: 'DELETE' })).json.status).toBe('cancelled');

    temporal = await startTemporal(temporalOptions);
    await expectPlayable(await client.completed(posted.id), 'posted');
    await expectPlayable(await client.completed(running.id), 'running');
    expect((await ready()).status).toBe(200);
    await expectInvariants(stack);
  });
});

describe('PostgreSQL killed', () => {
  it('leaves the processes running; they are back within ten seconds, and the job goes on', async () => {
    const { client } = stack;
    const { id } = await client.accepted('/videos/generate', request('west'));
    await rendering();
    await kill(postgres.process);
    await eventually(
      'not to be ready',
      async () => ((await ready()).status === 503 ? true : undefined),
      10_000,
    );
    const refused = await client.call(`/jobs/${id}`);
    expect([refused.status, refused.json.code]).toEqual([503, 'database_unavailable']);
    expect(refused.headers.get('retry-after')).not.toBeNull();
    expect((await client.call('//health')).status).toBe(200);

    postgres = await startPostgres(postgresOptions);
    await eventually('to be ready', async () => ((await ready()).status === 200 ? true : undefined), 10_000);
    await expectPlayable(await client.completed(id), 'database');
    await expectInvariants(stack);
  });
});

describe('the object storage killed', () => {
  it('in the middle of a job: the steps are tried again until it is back', async () => {
    const { client } = stack;
    const { id } = await client.accepted('/videos/generate', request('harbour'));
    await rendering();
    await kill(s3.process);
    await eventually('an attempt to fail', async () =>
      (await failuresOf(id)).find((one) => one.includes('storage')),
    );
    expect((await ready()).checks).toMatchObject({ storage: 'down', database: 'up' });
    expect((await client.job(id)).status).toBe('in_progress');
    s3 = await startS3Server({ ...s3Options, settings: s3.settings });
    await expectPlayable(await client.completed(id), 'objects');
    expect((await ready()).status).toBe(200);
    await expectInvariants(stack);
  });
});

describe('a full disk', () => {
  it('lets steps fail and be tried again until there is room', async (context) => {
    if (scratchDisk === undefined) {
      context.skip();
      return;
    }
    const { client } = stack;
    const filler = join(scratchDisk.path, 'filler');
    expect(() => {
      writeFileSync(filler, Buffer.alloc((scratchMegabytes + 1) * 1024 * 1024));
    }).toThrow(/ENOSPC/);
    const { id } = await client.accepted('/videos/generate', request('island'));
    await eventually('attempts to fail', async () => {
      const failures = await failuresOf(id);
      return failures.length >= 2 ? true : undefined;
    });
    for (const failure of await failuresOf(id)) expect(failure).toMatch(/^disk_full: .*(full|no space)/);
    rmSync(filler);
    await expectPlayable(await client.completed(id), 'disk');
    expect(existsSync(filler)).toBe(false);
    await expectInvariants(stack);
  });
});
