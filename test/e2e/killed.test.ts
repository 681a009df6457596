import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SupervisedProcess } from '../../cli/stack/process-supervisor.js';
import { startE2eStack, type E2eStack } from './e2e-stack.js';
import { expectInvariants } from './invariants.js';
import { lookAtVideo } from './media-facts.js';
import type { Json } from './rest-client.js';
import { eventually, type SystemProcess } from './system-processes.js';

/** Long enough that a render can be met while it runs. */
const scene = (name: string) =>
  `## ${name}\n\nThe harbour of ${name} wakes slowly, and gulls follow the first boats out to sea.\n\n`;
const long = (salt: string) => ({
  source: `# Harbours ${salt}\n\n${scene('Bergen')}${scene('Porto')}${scene('Ostend')}`,
  sceneCount: 3,
  resolution: '720p',
});
const short = (salt: string) => ({
  source: `# One line\n\nThis is line ${salt}.`,
  resolution: '720p',
  motion: 'none',
});

let stack: E2eStack;

beforeAll(async () => {
  stack = await startE2eStack({ workers: 2, env: { MEDIA_CONCURRENCY: '1' } });
});
afterAll(() => stack.stop());

/** An encoder at work, and the worker that it belongs to. */
async function meetRender(): Promise<{ encoder: SystemProcess; worker: SupervisedProcess }> {
  return eventually('a segment to be rendered', () => {
    const encoder = stack.ffmpegs().find((one) => one.args.includes('libx264'));
    const worker = stack.workers().find((one) => one.pid === encoder?.parent);
    return encoder === undefined || worker === undefined ? undefined : { encoder, worker };
  });
}

const finished = (job: Json): Json[] => job.steps.filter((step: Json) => step.status === 'completed');
const made = () =>
  stack.db.selectFrom('generation_cache').select(['key', 'created_at', 'artifacts']).orderBy('key').execute();

describe('a worker that is killed in the middle of a render', () => {
  it('takes its ffmpeg with it; another one finishes the job and repeats no finished step', async () => {
    const { client } = stack;
    const { id } = await client.accepted('/videos/generate', long('A'));
    const stateOf = (job: Json, name: string) =>
      job.steps.find((step: Json) => step.stepName === name).status;
    const isTimed = (job: Json) => ['images', 'captions'].every((name) => stateOf(job, name) === 'completed');
    const before = await client.until(id, isTimed);
    const { encoder, worker } = await meetRender();
    const madeBefore = await made();
    process.kill(worker.pid, 'SIGKILL');
    await worker.exited;
    await eventually(
      'its ffmpeg to end',
      () =>
        existsSync(`/proc/${encoder.pid}/cmdline`) && stack.ffmpegs().some((one) => one.pid === encoder.pid)
          ? undefined
          : true,
      2_000,
    );
    // What it left half-done lies in a folder of its own, until somebody starts here.
    const leftBehind = join(stack.dataDir, 'scratch', String(worker.pid));

    const job = await client.completed(id);
    expect(finished(before).map((step) => step.stepName)).toEqual(
      expect.arrayContaining(['content', 'scripts', 'images', 'voices', 'captions']),
    );
    for (const step of finished(before)) {
      const { startedAt, completedAt } = job.steps.find((one: Json) => one.stepName === step.stepName);
      expect({ startedAt, completedAt }).toEqual({
        startedAt: step.startedAt,
        completedAt: step.completedAt,
      });
    }
    const attempts = await stack.attempts(id);
    for (const type of ['writeContent', 'writeScript', 'drawPicture', 'speakScene', 'timeCaptions']) {
      expect([type, ...new Set(attempts.get(type))]).toEqual([type, 1]);
    }
    expect(Math.max(...(attempts.get('renderSegment') ?? []))).toBeGreaterThan(1);
    expect(await made()).toEqual(expect.arrayContaining(madeBefore));
    const { bytes } = await client.call(`/jobs/${id}/download`);
    expect((await lookAtVideo(bytes, join(stack.dataDir, 'killed.mp4'))).decodingErrors).toBe('');

    mkdirSync(join(leftBehind, 'work-killed'), { recursive: true });
    writeFileSync(join(leftBehind, 'work-killed', 'segment.mp4'), 'half of it');
    await stack.startWorker();
    await eventually('the successor to sweep', () => (existsSync(leftBehind) ? undefined : true));
    await expectInvariants(stack);
  });
});

describe('an API that is killed', () => {
  it('after its answer does not take the job with it', async () => {
    const { client } = stack;
    const { id } = await client.accepted('/videos/generate', short('one'));
    process.kill(stack.api().pid, 'SIGKILL');
    await stack.api().exited;
    await eventually('the job to be over without an API', async () => {
      const { status } = await stack.db
        .selectFrom('jobs')
        .select('status')
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
      return status === 'completed' ? true : undefined;
    });
    await stack.startApi();
    expect((await client.job(id)).status).toBe('completed');
    await expectInvariants(stack);
  });

  it('between the commit and the start leaves the job to the sweeper, and a repeated POST finds it', async () => {
    const { client } = stack;
    process.kill(stack.api().pid, 'SIGKILL');
    await stack.api().exited;
    const hole = await listenWithoutAnswer();
    try {
      await stack.startApi({ TEMPORAL_ADDRESS: hole.address });
      const request = { headers: { 'idempotency-key': randomUUID() }, body: short('two') };
      const cutOff = client.call('/videos/generate', request).then(
        (answer) => answer.status,
        () => 'cut off',
      );
      const { id } = await eventually('the job to be committed', () =>
        stack.db.selectFrom('jobs').select('id').where('submitted_at', 'is', null).executeTakeFirst(),
      );
      process.kill(stack.api().pid, 'SIGKILL');
      expect(await cutOff).toBe('cut off');

      await stack.startApi();
      const again = await client.call('/videos/generate', request);
      expect([again.status, again.json.id, again.headers.get('idempotency-replayed')]).toEqual([
        202,
        id,
        'true',
      ]);
      await client.completed(id);
      await expectInvariants(stack);
    } finally {
      hole.server.close();
    }
  });
});

describe('a worker without ffmpeg', () => {
  it('ends at once with a sentence that says what to do', async () => {
    const worker = await stack.startWorker({ FFMPEG_PATH: '/nowhere/ffmpeg' });
    expect(await worker.exited).toMatchObject({ code: 1 });
    const said = readFileSync(worker.logFile, 'utf8').trimEnd();
    expect(said).toBe('/nowhere/ffmpeg does not run here; install ffmpeg or set FFMPEG_PATH');
  });
});

/** A server that takes connections and says nothing, as one does that hangs. */
async function listenWithoutAnswer(): Promise<{ server: Server; address: string }> {
  const server = createServer((socket) => socket.on('error', () => undefined).unref());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  server.unref();
  return { server, address: `127.0.0.1:${address.port}` };
}
