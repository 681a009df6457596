import { randomUUID } from 'node:crypto';
import { Connection, WorkflowClient } from '@temporalio/client';
import { NativeConnection, type Worker } from '@temporalio/worker';
import { inject } from 'vitest';
import { createArtifactStore } from '../../activities/artifact-store.js';
import { createDeliveryActivities } from '../../activities/delivery/activities.js';
import { createOrchestrationActivities } from '../../activities/orchestration/activities.js';
import type { JobRow } from '../../db/jobs.js';
import { listRecipientRange } from '../../db/recipients.js';
import { createLogger } from '../../logger.js';
import { createStorage } from '../../storage/create-storage.js';
import { ensureWorkflowBundle } from '../../workers/bundle.js';
import { createPoolWorker, type PoolActivities } from '../../workers/pools.js';
import { installRuntime } from '../../workers/runtime.js';
import type { SceneEdit } from '../../workflows/contract/documents.js';
import type { ExplainerInput, StageInput } from '../../workflows/contract/explainer.js';
import { pools, type JobProgress, type JobType } from '../../workflows/contract/jobs.js';
import type { ExplainerOptions } from '../../workflows/contract/options.js';
import { approvalUpdate, progressQuery, type ApprovalDecision } from '../../workflows/contract/jobs.js';
import { startJob } from '../../workflows/start-job.js';
import { claimNamespace, createTestDatabase, createTestFolder } from '../support/services.js';
import { createSketchActivities, type Call, type SketchOptions } from './sketches.js';

export const options: ExplainerOptions = {
  language: 'en',
  sceneCount: null,
  aspectRatio: '16:9',
  resolution: '720p',
  theme: 'midnight',
  voice: { provider: 'espeak', voiceId: null, speed: 1 },
  captions: { mode: 'both', style: 'classic' },
  music: null,
  images: { provider: 'slides' },
  transition: 'fade',
  motion: 'none',
  review: null,
};

export interface RunningWorkers {
  /** Lets them drain for their grace period and ends them. */
  stop(): Promise<void>;
}

const logger = createLogger({ level: 'silent', name: 'test' });
installRuntime(logger);

/** One suite's database, storage, namespace and user, with the real records and the real engine. */
export async function createLab() {
  const [database, folder, namespace, bundlePath] = await Promise.all([
    createTestDatabase(),
    createTestFolder('lab'),
    claimNamespace(),
    ensureWorkflowBundle(),
  ]);
  const { db } = database;
  const address = inject('temporalAddress');
  const storage = await createStorage({ kind: 'local', dir: `${folder.path}/storage` });
  const artifacts = createArtifactStore({
    storage,
    db,
    cacheDir: `${folder.path}/cache`,
    maxCacheBytes: 1e9,
  });
  const connection = await Connection.connect({ address });
  const native = await NativeConnection.connect({ address });
  const client = new WorkflowClient({ connection, namespace });
  const createUser = () =>
    db
      .insertInto('users')
      .values({ email: `${randomUUID()}@example.org`, password_hash: 'x' })
      .returning('id')
      .executeTakeFirstOrThrow();
  const user = await createUser();

  /** Starts one worker a pool, with sketches for the pools that make something. */
  async function startWorkers(
    sketch: Partial<Omit<SketchOptions, 'artifacts' | 'packing'>> & {
      calls: Call[];
      graceSeconds?: number;
      /** Activities at once in each pool. */
      concurrency?: number;
      override?: (activities: PoolActivities) => PoolActivities;
    },
  ): Promise<RunningWorkers> {
    const packing = {
      scratchDir: `${folder.path}/scratch`,
      listRecipients: (jobId: string, range: { from: number; to: number }) =>
        listRecipientRange(db, jobId, range),
    };
    const activities: PoolActivities = {
      orchestration: createOrchestrationActivities({ db, artifacts }),
      ...createSketchActivities({ sceneCount: 3, ...sketch, artifacts, packing }),
      delivery: createDeliveryActivities({ db, allowPrivateCallbacks: true }),
    };
    const settings = poolSettings(sketch.graceSeconds ?? 1, sketch.concurrency ?? 8);
    const workers: Worker[] = [];
    for (const pool of pools) {
      workers.push(
        await createPoolWorker({
          pool,
          activities: sketch.override?.(activities) ?? activities,
          connection: native,
          namespace,
          settings,
          bundlePath,
          logger,
        }),
      );
    }
    const running = Promise.all(workers.map((worker) => worker.run()));
    let stopped = false;
    return {
      async stop() {
        if (!stopped) for (const worker of workers) worker.shutdown();
        stopped = true;
        await running;
      },
    };
  }

  /** Commits a job's row as the API does. */
  async function acceptJob(type: JobType, input: object, row: AcceptedRow = {}): Promise<string> {
    const id = randomUUID();
    const userId = row.userId ?? user.id;
    await db
      .insertInto('jobs')
      .values({
        id,
        user_id: userId,
        type,
        parameters: JSON.stringify({ prompt: 'tides' }),
        workflow_input: JSON.stringify({ ...input, jobId: id, userId }),
        edits: JSON.stringify(row.edits ?? []),
        steps: '[]',
        video_id: row.videoId ?? null,
        created_at: new Date(Date.now() - (row.ageSeconds ?? 0) * 1000),
        cancel_requested_at: row.isCancelRequested === true ? new Date(Date.now() - 60_000) : null,
      })
      .execute();
    return id;
  }

  const readJob = (id: string): Promise<JobRow> =>
    db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

  async function submit(id: string): Promise<void> {
    const { type, user_id: userId, workflow_input: input } = await readJob(id);
    await startJob(client, { id, type, userId, input, title: 'tides' });
  }

  async function runExplainer(
    input: Partial<Pick<ExplainerInput, 'options' | 'videoId'>> = {},
    row: AcceptedRow = {},
  ): Promise<string> {
    const id = await acceptJob('explainer', { options, videoId: null, ...input }, row);
    await submit(id);
    return id;
  }

  async function runStage(input: Partial<StageInput> & Pick<StageInput, 'stage'>): Promise<string> {
    const nothing = { content: null, script: null, pictures: [], voices: [], captions: null };
    const id = await acceptJob('stage', { options, ...nothing, ...input });
    await submit(id);
    return id;
  }

  return {
    db,
    user,
    createUser,
    artifacts,
    client,
    namespace,
    databaseUrl: database.url,
    schema: database.schema,
    logger,
    folder: folder.path,
    startWorkers,
    acceptJob,
    readJob,
    submit,
    runExplainer,
    runStage,

    progress: (id: string): Promise<JobProgress> =>
      client.getHandle(id).query<JobProgress, []>(progressQuery),

    approve: (id: string, decision: ApprovalDecision): Promise<unknown> =>
      client.getHandle(id).executeUpdate<unknown, [ApprovalDecision]>(approvalUpdate, { args: [decision] }),

    /** The row once the job is over. */
    async ended(id: string, timeoutMs = 30_000): Promise<JobRow> {
      return until(
        () => readJob(id),
        ({ completed_at }) => completed_at !== null,
        timeoutMs,
      );
    },

    async reached(id: string, status: JobRow['status']): Promise<JobRow> {
      return until(
        () => readJob(id),
        (row) => row.status === status,
        15_000,
      );
    },

    artifactsOf: (jobId: string) =>
      db
        .selectFrom('job_artifacts')
        .select(['kind', 'name', 'artifact_id'])
        .where('job_id', '=', jobId)
        .orderBy('position')
        .execute(),

    async close(): Promise<void> {
      await native.close();
      await connection.close();
      await database.drop();
      await folder.remove();
    },
  };
}

export type Lab = Awaited<ReturnType<typeof createLab>>;

export interface AcceptedRow {
  /** Another than the lab's own. */
  userId?: string;
  edits?: SceneEdit[];
  videoId?: string;
  ageSeconds?: number;
  isCancelRequested?: boolean;
}

function poolSettings(graceSeconds: number, concurrency: number) {
  const pool = { concurrency, perSecond: undefined };
  return {
    pools: { orchestration: pool, llm: pool, tts: pool, lipsync: pool, media: pool, delivery: pool },
    shutdownGraceSeconds: graceSeconds,
  };
}

/** Reads until it is as wanted. @throws what was read last when it never is. */
export async function until<T>(
  read: () => Promise<T>,
  isWanted: (value: T) => boolean,
  timeoutMs: number,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await read();
    if (isWanted(value)) return value;
    if (Date.now() > deadline) throw new Error(`waited in vain; last: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
