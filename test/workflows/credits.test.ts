import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { invalidInput } from '../../activities/failures.js';
import { startApi, type Json, type TestApi } from '../api/support.js';
import { checkLedger } from '../../db/ledger-check.js';
import { readBalance } from '../../db/ledger.js';
import { createLocalStorage } from '../../storage/local.js';
import { Sweeper } from '../../workers/sweeper.js';
import type { PoolActivities } from '../../workers/pools.js';
import { createLab, until, type Lab, type RunningWorkers } from './lab.js';

/** What jobs cost, through the real API, workflows and records. */
let lab: Lab;
let api: TestApi;
let sweeper: Sweeper;
let workers: RunningWorkers | undefined;
let user: Awaited<ReturnType<TestApi['register']>>;

beforeAll(async () => {
  lab = await createLab();
  const storage = await createLocalStorage(`${lab.folder}/storage`);
  api = await startApi({ db: lab.db, namespace: lab.namespace, storage, signupCredits: 10 });
  const { db, client, logger } = lab;
  sweeper = new Sweeper({ db, client, logger, intervalSeconds: 1, graceSeconds: 0 });
});
afterEach(async () => {
  await workers?.stop();
  workers = undefined;
  expect(await checkLedger(lab.db)).toEqual([]);
});
afterAll(async () => {
  await api.stop();
  await lab.close();
});

type Orchestration = PoolActivities['orchestration'];

async function begin(override: (real: Orchestration) => Partial<Orchestration> = () => ({})): Promise<void> {
  user = await api.register();
  workers = await lab.startWorkers({
    calls: [],
    override: (activities) => {
      const { orchestration } = activities;
      return { ...activities, orchestration: { ...orchestration, ...override(orchestration) } };
    },
  });
}

async function post(path: string, body?: object): Promise<Json> {
  const answer = await api.call(`/api/v1${path}`, {
    method: 'POST',
    token: user.token,
    ...(body === undefined ? {} : { body }),
  });
  expect(answer.status).toBe(202);
  return answer.json;
}
const generate = async (body: object = {}): Promise<string> =>
  (await post('/videos/generate', { prompt: 'Tides', ...body })).id;
const creditsOf = async (id: string) => {
  const { status, credits_quoted: quoted, credits_charged: charged } = await lab.readJob(id);
  return { status, quoted, charged };
};
const balance = () => readBalance(lab.db, user.id);
const videosOf = (jobId: string) =>
  lab.db.selectFrom('videos').select('id').where('job_id', '=', jobId).execute();
const activities = async () =>
  (
    await lab.db
      .selectFrom('activities')
      .select('type')
      .where('user_id', '=', user.id)
      .orderBy('created_at')
      .execute()
  ).map(({ type }) => type);

/** Ends a workflow as an operator may, which runs none of its cleanup, and lets the sweeper find it. */
async function terminate(id: string): Promise<void> {
  await lab.client.getHandle(id).terminate('by hand');
  const at = new Date(Date.now() - 60_000);
  await lab.db.updateTable('jobs').set({ submitted_at: at }).where('id', '=', id).execute();
  await sweeper.sweep();
}

describe('a video', () => {
  it('costs its price when it is delivered, from the cache or not', async () => {
    await begin();
    for (const spent of [1, 2]) {
      const id = await generate();
      await lab.ended(id);
      expect(await creditsOf(id)).toEqual({ status: 'completed', quoted: 1, charged: 1 });
      expect(await balance()).toEqual({ available: 10 - spent, held: 0 });
      expect(await videosOf(id)).toHaveLength(1);
    }
    expect((await activities()).slice(0, 6)).toEqual([
      'credits_granted',
      'job_accepted',
      'credits_held',
      'credits_captured',
      'video_created',
      'job_completed',
    ]);
  });

  it('costs its price again when a scene of it is edited', async () => {
    await begin();
    const id = await generate();
    await lab.ended(id);
    const answer = await api.call(`/api/v1/videos/${id}/scenes/1`, {
      method: 'PATCH',
      token: user.token,
      body: { heading: 'Ebb' },
    });
    await lab.ended(answer.json.id);
    expect(await creditsOf(answer.json.id)).toEqual({ status: 'completed', quoted: 1, charged: 1 });
    expect(await balance()).toEqual({ available: 8, held: 0 });
    expect(await activities()).toContain('video_edited');
  });

  it('costs nothing when it fails, and is held anew when it is tried again', async () => {
    let isBroken = true;
    await begin((real) => ({
      recordVideo: (input) => {
        if (isBroken) return Promise.reject(invalidInput({ code: 'broken', detail: 'It is broken.' }));
        return real.recordVideo(input);
      },
    }));
    const id = await generate();
    await lab.ended(id);
    expect(await creditsOf(id)).toEqual({ status: 'failed', quoted: 1, charged: 0 });
    expect(await balance()).toEqual({ available: 10, held: 0 });
    expect((await activities()).slice(-2)).toEqual(['credits_released', 'job_failed']);
    isBroken = false;
    const { id: again } = await post(`/jobs/${id}/retry`);
    await lab.ended(again);
    expect(await creditsOf(again)).toEqual({ status: 'completed', quoted: 1, charged: 1 });
    expect(await balance()).toEqual({ available: 9, held: 0 });
  });

  it('costs nothing when it is cancelled or rejected', async () => {
    await begin();
    const cancelled = await generate({ review: 'script' });
    await lab.reached(cancelled, 'awaiting_approval');
    expect(await balance()).toEqual({ available: 9, held: 1 });
    await api.call(`/api/v1/jobs/${cancelled}`, { method: 'DELETE', token: user.token });
    await lab.ended(cancelled);
    const rejected = await generate({ review: 'script' });
    await lab.reached(rejected, 'awaiting_approval');
    await until(
      () => api.call(`/api/v1/jobs/${rejected}/approval`, { token: user.token, body: { approved: false } }),
      ({ status }) => status === 200,
      10_000,
    );
    await lab.ended(rejected);
    for (const id of [cancelled, rejected]) {
      expect(await creditsOf(id)).toEqual({ status: 'cancelled', quoted: 1, charged: 0 });
    }
    expect(await balance()).toEqual({ available: 10, held: 0 });
  });

  it('is paid once, however often its record is tried', async () => {
    await begin((real) => ({
      recordVideo: async (input) => {
        await Promise.all([real.recordVideo(input), real.recordVideo(input)]);
        return real.recordVideo(input);
      },
    }));
    const id = await generate();
    await lab.ended(id);
    expect(await creditsOf(id)).toEqual({ status: 'completed', quoted: 1, charged: 1 });
    expect(await videosOf(id)).toHaveLength(1);
    expect(await balance()).toEqual({ available: 9, held: 0 });
  });
});

describe('a workflow that is terminated', () => {
  it('while it works gives everything back', async () => {
    await begin();
    const id = await generate({ review: 'script' });
    await lab.reached(id, 'awaiting_approval');
    await terminate(id);
    expect(await creditsOf(id)).toEqual({ status: 'failed', quoted: 1, charged: 0 });
    expect(await balance()).toEqual({ available: 10, held: 0 });
  });

  it('between the delivery and the end of its job leaves a job that is complete, and paid', async () => {
    let isRecorded = false;
    await begin((real) => ({
      recordVideo: async (input) => {
        const result = await real.recordVideo(input);
        isRecorded = true;
        return result;
      },
      finishJob: () => new Promise(() => undefined),
    }));
    const id = await generate();
    await until(() => Promise.resolve(isRecorded), Boolean, 20_000);
    expect((await lab.readJob(id)).status).toBe('in_progress');
    await terminate(id);
    expect(await creditsOf(id)).toEqual({ status: 'completed', quoted: 1, charged: 1 });
    expect(await balance()).toEqual({ available: 9, held: 0 });
    expect(await videosOf(id)).toHaveLength(1);
    const { json: job } = await api.call(`/api/v1/jobs/${id}`, { token: user.token });
    expect(job).toMatchObject({
      overallProgress: 100,
      error: null,
      result: { videoId: id, durationSeconds: 3 },
    });
    expect(job.completedSteps).toBe(job.totalSteps);
    const download = await api.call(`/api/v1/jobs/${id}/download`, { token: user.token });
    expect([download.status, download.headers.get('content-type')]).toEqual([200, 'video/mp4']);
  });

  it('before a late delivery gets no video, and pays nothing', async () => {
    let open = () => {};
    const held = new Promise<void>((resolve) => (open = resolve));
    const outcome: { error?: unknown; isRecording?: boolean } = {};
    await begin((real) => ({
      recordVideo: async (input) => {
        outcome.isRecording = true;
        await held;
        return real.recordVideo(input).catch((error: unknown) => {
          outcome.error = error;
          throw error;
        });
      },
    }));
    const id = await generate();
    await until(() => Promise.resolve(outcome.isRecording === true), Boolean, 20_000);
    await terminate(id);
    open();
    await until(() => Promise.resolve(outcome.error), Boolean, 10_000);
    expect(outcome.error).toMatchObject({ type: 'job_over' });
    expect(await videosOf(id)).toEqual([]);
    expect(await creditsOf(id)).toEqual({ status: 'failed', quoted: 1, charged: 0 });
    expect(await balance()).toEqual({ available: 10, held: 0 });
  });
});

it('the sweeper gives back what a job that was ended by hand left held, and what a deleted one did', async () => {
  user = await api.register();
  const [ended, deleted] = [await generate(), await generate()];
  expect(await balance()).toEqual({ available: 8, held: 2 });
  await lab.client.getHandle(ended).terminate();
  await lab.client.getHandle(deleted).terminate();
  await lab.db.updateTable('jobs').set({ status: 'failed' }).where('id', '=', ended).execute();
  await lab.db.deleteFrom('jobs').where('id', '=', deleted).execute();
  await sweeper.sweep();
  expect(await balance()).toEqual({ available: 10, held: 0 });
  await sweeper.sweep();
  expect(await balance()).toEqual({ available: 10, held: 0 });
});

it('the stage that makes a video is paid at its end, those before it are free', async () => {
  await begin();
  const stage = async (name: string, body: object): Promise<Json> => {
    const { id } = await post(`/stages/${name}`, body);
    expect((await lab.ended(id)).status).toBe('completed');
    const artifacts = await lab.artifactsOf(id);
    const all = (kind: string) =>
      artifacts.filter((artifact) => artifact.kind === kind).map((artifact) => artifact.artifact_id);
    return { id, all };
  };
  const content = await stage('content', { prompt: 'Tides' });
  const script = await stage('scripts', { contentArtifact: content.all('content')[0] });
  const scriptArtifact = script.all('script')[0];
  const pictures = await stage('images', { scriptArtifact });
  const voices = await stage('voices', { scriptArtifact });
  const voiceArtifacts = voices.all('voice');
  const captions = await stage('captions', { scriptArtifact, voiceArtifacts });
  expect(await balance()).toEqual({ available: 10, held: 0 });
  const assembly = await stage('assembly', {
    scriptArtifact,
    pictureArtifacts: pictures.all('picture'),
    voiceArtifacts,
    captionsArtifact: captions.all('captions')[0],
  });
  expect(await creditsOf(assembly.id)).toEqual({ status: 'completed', quoted: 1, charged: 1 });
  expect(await balance()).toEqual({ available: 9, held: 0 });
});
