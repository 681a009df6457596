import type { WorkflowClient } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../cli/stack/free-port.js';
import { workflowClient } from '../../workers/connection.js';
import { Sweeper } from '../../workers/sweeper.js';
import { JobNotSubmittedError, startJob } from '../../workflows/start-job.js';
import { createLab, options, until, type Lab, type RunningWorkers } from './lab.js';
import type { Call } from './sketches.js';

let lab: Lab;
let sweeper: Sweeper;
let workers: RunningWorkers | undefined;

beforeAll(async () => {
  lab = await createLab();
  sweeper = sweeperWith(lab.client);
});

afterEach(async () => {
  await workers?.stop();
  workers = undefined;
});

afterAll(async () => {
  await lab.close();
});

const stage = {
  stage: 'content',
  options,
  content: null,
  script: null,
  pictures: [],
  voices: [],
  captions: null,
};

function sweeperWith(client: WorkflowClient): Sweeper {
  return new Sweeper({ db: lab.db, client, logger: lab.logger, intervalSeconds: 1, graceSeconds: 2 });
}

describe('sweeper', () => {
  it('starts a job that was accepted while Temporal was away', async () => {
    const calls: Call[] = [];
    workers = await lab.startWorkers({ calls });
    const address = `127.0.0.1:${await freePort()}`;
    const nobody = workflowClient({ address, namespace: lab.namespace, apiKey: undefined, tls: false });
    const id = await lab.acceptJob('stage', stage, { ageSeconds: 10 });

    const startedAt = Date.now();
    await expect(
      startJob(nobody.client, { id, type: 'stage', userId: lab.user.id, input: stage, title: 'tides' }),
    ).rejects.toBeInstanceOf(JobNotSubmittedError);
    expect(Date.now() - startedAt).toBeLessThan(3_000);
    await sweeperWith(nobody.client).sweep();
    expect(await lab.readJob(id)).toMatchObject({ status: 'queued', submitted_at: null });
    await nobody.connection.close();

    await sweeper.sweep();
    expect((await lab.readJob(id)).submitted_at).not.toBeNull();
    expect((await lab.ended(id)).status).toBe('completed');
    expect(calls).toHaveLength(1);
  });

  it('leaves a job to the API that has just accepted it', async () => {
    const id = await lab.acceptJob('stage', stage);
    await sweeper.sweep();
    expect((await lab.readJob(id)).submitted_at).toBeNull();
    await lab.db.deleteFrom('jobs').where('id', '=', id).execute();
  });

  it('starts each of many jobs once, however many sweepers there are', async () => {
    const calls: Call[] = [];
    workers = await lab.startWorkers({ calls });
    const ids = await Promise.all(
      Array.from({ length: 30 }, () => lab.acceptJob('stage', stage, { ageSeconds: 10 })),
    );
    await Promise.all([sweeper.sweep(), sweeperWith(lab.client).sweep(), sweeperWith(lab.client).sweep()]);
    const jobs = await Promise.all(ids.map((id) => lab.ended(id)));
    expect(new Set(jobs.map(({ status }) => status))).toEqual(new Set(['completed']));
    expect(calls).toHaveLength(30);
  });

  it('knows a job that the API started and did not mark', async () => {
    const calls: Call[] = [];
    workers = await lab.startWorkers({ calls });
    const id = await lab.acceptJob('stage', stage, { ageSeconds: 10 });
    await lab.submit(id);
    await lab.ended(id);
    await lab.db.updateTable('jobs').set({ submitted_at: null }).where('id', '=', id).execute();
    await sweeper.sweep();
    expect(calls).toHaveLength(1);
  });

  it('cancels what was cancelled before it began', async () => {
    const id = await lab.acceptJob('stage', stage, { ageSeconds: 10, isCancelRequested: true });
    await sweeper.sweep();
    expect(await lab.readJob(id)).toMatchObject({ status: 'cancelled', submitted_at: null });
  });

  it('passes on a cancel that the engine was not told of', async () => {
    workers = await lab.startWorkers({ calls: [] });
    const id = await lab.runExplainer({ options: { ...options, review: 'script' } });
    await lab.reached(id, 'awaiting_approval');
    const asked = new Date(Date.now() - 60_000);
    await lab.db.updateTable('jobs').set({ cancel_requested_at: asked }).where('id', '=', id).execute();
    await sweeper.sweep();
    expect((await lab.ended(id)).status).toBe('cancelled');
  });

  it('closes a job whose workflow was terminated, with the steps that it had', async () => {
    workers = await lab.startWorkers({ calls: [] });
    const id = await lab.runExplainer({ options: { ...options, review: 'script' } });
    await lab.reached(id, 'awaiting_approval');
    await lab.client.getHandle(id).terminate('by hand');
    await backdate(id);
    await sweeper.sweep();
    const job = await lab.readJob(id);
    expect(job.status).toBe('failed');
    expect(job.error).toMatchObject({ code: 'workflow_terminated', step: null, retryable: true });
    expect(job.steps.map(({ status }) => status).slice(0, 3)).toEqual([
      'completed',
      'completed',
      'cancelled',
    ]);
  });

  it('closes a job that the engine has lost, and leaves one that runs', async () => {
    workers = await lab.startWorkers({ calls: [] });
    const lost = await lab.acceptJob('stage', stage, { ageSeconds: 10 });
    const running = await lab.runExplainer({ options: { ...options, review: 'script' } });
    await lab.reached(running, 'awaiting_approval');
    await backdate(lost);
    await backdate(running);
    await sweeper.sweep();
    expect(await lab.readJob(lost)).toMatchObject({
      status: 'failed',
      error: { code: 'workflow_terminated' },
    });
    expect((await lab.readJob(running)).status).toBe('awaiting_approval');
    await lab.client.getHandle(running).cancel();
    await lab.ended(running);
  });

  it('closes the lost although a cancel cannot be passed on', async () => {
    workers = await lab.startWorkers({ calls: [] });
    const running = await lab.runExplainer({ options: { ...options, review: 'script' } });
    await lab.reached(running, 'awaiting_approval');
    const asked = new Date(Date.now() - 60_000);
    await lab.db.updateTable('jobs').set({ cancel_requested_at: asked }).where('id', '=', running).execute();
    const lost = await lab.acceptJob('stage', stage, { ageSeconds: 10 });
    await backdate(lost);
    await sweeperWith(refusingCancels(lab.client)).sweep();
    expect((await lab.readJob(lost)).status).toBe('failed');
    expect((await lab.readJob(running)).status).toBe('awaiting_approval');
    await sweeper.sweep();
    expect((await lab.ended(running)).status).toBe('cancelled');
  });

  it('sweeps until it is told to stop', async () => {
    const stopping = new AbortController();
    const id = await lab.acceptJob('stage', stage, { ageSeconds: 10, isCancelRequested: true });
    const running = sweeper.run(stopping.signal);
    await until(
      () => lab.readJob(id),
      ({ status }) => status === 'cancelled',
      10_000,
    );
    stopping.abort();
    await running;
  });
});

/** The engine as it is, but for cancels, which it refuses. */
function refusingCancels(client: WorkflowClient): WorkflowClient {
  const refuse = () => Promise.reject(new Error('refused'));
  return Object.assign(Object.create(client) as WorkflowClient, {
    getHandle: (id: string) => ({ ...client.getHandle(id), cancel: refuse }),
  });
}

async function backdate(id: string): Promise<void> {
  const at = new Date(Date.now() - 60_000);
  await lab.db.updateTable('jobs').set({ submitted_at: at }).where('id', '=', id).execute();
}
