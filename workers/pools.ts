import { type NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import type { Config } from '../config.js';
import type { Logger } from '../logger.js';
import type {
  DeliveryActivities,
  LipsyncActivities,
  LlmActivities,
  MediaActivities,
  OrchestrationActivities,
  TtsActivities,
} from '../workflows/activity-interfaces.js';
import { taskQueue, type Pool } from '../workflows/contract/jobs.js';
import { activityInterceptor } from './activity-interceptor.js';

/** What each pool's workers can do. A pool that is absent has no work yet and gets no worker. */
export interface PoolActivities {
  orchestration: OrchestrationActivities;
  llm: LlmActivities;
  tts: TtsActivities;
  lipsync: LipsyncActivities;
  media: MediaActivities;
  delivery: DeliveryActivities;
}

export interface PoolOptions {
  pool: keyof PoolActivities;
  activities: PoolActivities;
  connection: NativeConnection;
  namespace: string;
  settings: Pick<Config, 'pools' | 'shutdownGraceSeconds'>;
  /** Prebuilt workflow code; only the orchestration pool runs it. */
  bundlePath: string;
  logger: Logger;
}

/** Heartbeats carry progress up and cancels down; the SDK would hold them back for 8 s of a 10 s timeout. */
const heartbeatThrottleMs = 1_000;

/** After the grace period activities are cancelled; this is what they get to remove their files. */
const cleanUpSeconds = 8;

/** One worker that polls one pool's task queue. */
export function createPoolWorker(options: PoolOptions): Promise<Worker> {
  const { pool, activities, connection, namespace, settings, bundlePath, logger } = options;
  const { concurrency, perSecond } = settings.pools[pool];
  return Worker.create({
    connection,
    namespace,
    taskQueue: taskQueue(pool),
    activities: activities[pool],
    maxConcurrentActivityTaskExecutions: concurrency,
    ...(perSecond === undefined ? {} : { maxTaskQueueActivitiesPerSecond: perSecond }),
    maxHeartbeatThrottleInterval: heartbeatThrottleMs,
    defaultHeartbeatThrottleInterval: heartbeatThrottleMs,
    shutdownGraceTime: settings.shutdownGraceSeconds * 1_000,
    shutdownForceTime: (settings.shutdownGraceSeconds + cleanUpSeconds) * 1_000,
    interceptors: { activity: [activityInterceptor(logger)] },
    ...(pool === 'orchestration' ? workflowOptions(bundlePath) : {}),
  });
}

function workflowOptions(bundlePath: string): Partial<WorkerOptions> {
  return {
    workflowBundle: { codePath: bundlePath },
    // A workflow that is not cached is replayed from its history, which costs milliseconds and no memory.
    maxCachedWorkflows: 200,
    // A killed worker's workflows move to another one this fast.
    stickyQueueScheduleToStartTimeout: 3_000,
  };
}

/** The pools that have activities, of those asked for. */
export function workingPools(pools: readonly Pool[], activities: PoolActivities): (keyof PoolActivities)[] {
  return pools.filter((pool): pool is keyof PoolActivities => pool in activities);
}
