import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { freePort } from '../../cli/stack/free-port.js';
import { createSupervisor, type SupervisedProcess } from '../../cli/stack/process-supervisor.js';
import { startTemporal } from '../../cli/stack/temporal.js';
import { checkLedger } from '../../db/ledger-check.js';
import { readBalance } from '../../db/ledger.js';
import { grant, recipientsOf, runBatch } from './batch-lab.js';
import { createLab, options, until, type Lab } from './lab.js';
import type { WorkerProgramSettings } from './worker-program.js';

const program = fileURLToPath(new URL('./worker-program.ts', import.meta.url));
const supervisor = createSupervisor();
let lab: Lab;
let settings: WorkerProgramSettings;
let started: SupervisedProcess[] = [];

beforeAll(async () => {
  lab = await createLab();
  settings = {
    address: inject('temporalAddress'),
    namespace: lab.namespace,
    databaseUrl: lab.databaseUrl,
    schema: lab.schema,
    folder: lab.folder,
    callsFile: `${lab.folder}/calls`,
    renderMs: 800,
  };
});

afterEach(async () => {
  await Promise.all(started.map((one) => one.stop()));
  started = [];
});

afterAll(async () => {
  await supervisor.stopAll();
  await lab.close();
});

async function startWorker(extra: Partial<WorkerProgramSettings> = {}): Promise<SupervisedProcess> {
  const worker = await supervisor.start({
    name: 'worker',
    command: process.execPath,
    args: ['--import', 'tsx', program, JSON.stringify({ ...settings, ...extra })],
    logFile: `${lab.folder}/worker-${started.length}.log`,
  });
  started.push(worker);
  return worker;
}

const calls = (): string[] => readFileSync(settings.callsFile, 'utf8').split('\n').filter(Boolean);
const forgetCalls = () => {
  writeFileSync(settings.callsFile, '');
};
const called = (name: string) =>
  until(
    () => Promise.resolve(calls()),
    (lines) => lines.some((line) => line.startsWith(name)),
    20_000,
  );

describe('worker processes', () => {
  it('finish the job of one that is killed, and repeat no finished step', async () => {
    forgetCalls();
    const victim = await startWorker();
    const id = await lab.runExplainer();
    await called('renderSegment');
    process.kill(victim.pid, 'SIGKILL');
    await victim.exited;
    await startWorker();
    const job = await lab.ended(id, 40_000);
    expect(job.status).toBe('completed');
    const once = calls().filter((line) => !line.startsWith('renderSegment') && !line.startsWith('mixAudio'));
    expect(once).toHaveLength(new Set(once).size);
    expect(once).toContain('assemble 1');
    expect(await lab.db.selectFrom('videos').select('id').where('job_id', '=', id).execute()).toHaveLength(1);
  });

  it('finish the batch of one that is killed, and do no delivered recipient again', async () => {
    forgetCalls();
    await grant(lab, 12);
    const victim = await startWorker({ renderMs: 400 });
    const id = await runBatch(lab, { recipients: 12 });
    const statuses = async () => (await recipientsOf(lab, id)).map(({ status }) => status);
    const seen = await until(statuses, (all) => all.filter((one) => one === 'completed').length >= 3, 30_000);
    process.kill(victim.pid, 'SIGKILL');
    await victim.exited;
    const before = await statuses();
    expect(before).toContain('in_progress');
    const done = before.flatMap((status, position) => (status === 'completed' ? [position] : []));
    expect(done.length).toBeGreaterThanOrEqual(seen.filter((status) => status === 'completed').length);
    await startWorker({ renderMs: 100 });
    const job = await lab.ended(id, 50_000);
    expect(job).toMatchObject({ status: 'completed', credits_charged: 12 });
    expect(job.result).toMatchObject({ delivered: 12, failed: 0 });
    const lines = calls();
    for (const position of done) {
      for (const activity of ['speakRecipient', 'renderRecipient']) {
        expect(lines.filter((line) => line === `${activity} ${position}`)).toHaveLength(1);
      }
    }
    // What was in flight is rendered again, and nothing else.
    const rendered = lines.filter((line) => line.startsWith('renderRecipient'));
    expect(rendered.length).toBeGreaterThan(12);
    expect(rendered.length).toBeLessThanOrEqual(12 + 4);
    expect(lines.filter((line) => line.startsWith('prepareBase'))).toHaveLength(1);
    expect(await readBalance(lab.db, lab.user.id)).toEqual({ available: 0, held: 0 });
    expect(await checkLedger(lab.db)).toEqual([]);
  });

  it('drain when they are asked to end: what runs is finished, not repeated', async () => {
    forgetCalls();
    const first = await startWorker();
    const id = await lab.runExplainer();
    await called('renderSegment');
    process.kill(first.pid, 'SIGTERM');
    expect(await first.exited).toEqual({ code: 0, signal: null });
    await startWorker();
    expect((await lab.ended(id)).status).toBe('completed');
    const lines = calls();
    expect(lines).toHaveLength(new Set(lines).size);
  });

  it('start before Temporal does, outlive its restart, and start what was accepted meanwhile', async () => {
    forgetCalls();
    const port = await freePort();
    const server = {
      cliPath: inject('temporalCliPath'),
      port,
      databaseFile: `${lab.folder}/temporal.db`,
      logFile: `${lab.folder}/temporal.log`,
      supervisor,
    };
    const worker = await startWorker({ address: `127.0.0.1:${port}`, namespace: 'default' });
    const stage = {
      stage: 'content',
      options,
      content: null,
      script: null,
      pictures: [],
      voices: [],
      captions: null,
    };
    const early = await lab.acceptJob('stage', stage, { ageSeconds: 60 });
    const before = await startTemporal(server);
    expect((await lab.ended(early)).status).toBe('completed');

    const long = await lab.acceptJob('explainer', { options, videoId: null }, { ageSeconds: 60 });
    await called('renderSegment');
    process.kill(before.process.pid, 'SIGKILL');
    await before.process.exited;
    const accepted = await lab.acceptJob('stage', stage, { ageSeconds: 60 });
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect((await lab.readJob(accepted)).submitted_at).toBeNull();

    const again = await startTemporal(server);
    expect((await lab.ended(accepted, 40_000)).status).toBe('completed');
    expect((await lab.ended(long, 60_000)).status).toBe('completed');
    expect(worker.isRunning()).toBe(true);
    await worker.stop();
    await again.process.stop();
  });
});
