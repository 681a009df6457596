import { setTimeout as sleep } from 'node:timers/promises';
import type { NativeConnection, Worker } from '@temporalio/worker';
import type { Config } from '../config.js';
import type { Db } from '../db/database.js';
import type { Logger } from '../logger.js';
import type { Pool } from '../workflows/contract/jobs.js';
import { ensureWorkflowBundle } from './bundle.js';
import type { Collector } from './collector.js';
import { connectWorker, workflowClient } from './connection.js';
import { createPoolWorker, workingPools, type PoolActivities } from './pools.js';
import { ensureSearchAttributes } from './search-attributes.js';
import { Sweeper } from './sweeper.js';

export interface WorkersOptions {
  config: Pick<Config, 'temporal' | 'pools' | 'shutdownGraceSeconds' | 'sweepIntervalSeconds'>;
  pools: readonly Pool[];
  db: Db;
  activities: PoolActivities;
  logger: Logger;
  /** Run by the orchestration pool, too. */
  collector?: Collector;
}

export interface RunningWorkers {
  /** Settles with the reason when the workers cannot go on; what supervises the process starts it again. */
  broken: Promise<unknown>;
  /** Takes no more work, lets what runs end within the grace period, then cancels it. */
  stop(): Promise<void>;
}

/** A worker that broke is made anew after this long. */
const restartDelayMs = 2_000;

/**
 * Polls the task queues of the given pools until `stop`, from whenever Temporal answers, and survives its
 * restarts. The orchestration pool also sweeps and collects.
 */
export function runWorkers(options: WorkersOptions): RunningWorkers {
  const { config, pools, db, activities, logger } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const isStopping = () => signal.aborted;
  const current = new Map<string, Worker>();
  const isOrchestrating = pools.includes('orchestration');

  const runPool = async (
    pool: keyof PoolActivities,
    connection: NativeConnection,
    bundlePath: string,
  ): Promise<void> => {
    while (!isStopping()) {
      try {
        const worker = await createPoolWorker({
          pool,
          activities,
          connection,
          namespace: config.temporal.namespace,
          settings: config,
          bundlePath,
          logger,
        });
        current.set(pool, worker);
        logger.info({ stage: 'worker', action: 'poll', success: true, info: { pool } });
        const running = worker.run();
        // `stop` may have come while the worker was made; one that never ran cannot be shut down.
        if (isStopping()) shutDown(worker);
        await running;
      } catch (error) {
        logger.error({ stage: 'worker', action: 'poll', success: false, info: { pool }, err: error });
        await sleep(restartDelayMs, undefined, { signal }).catch(() => undefined);
      } finally {
        current.delete(pool);
      }
    }
  };

  const runPools = async (): Promise<void> => {
    const bundlePath = isOrchestrating ? await ensureWorkflowBundle() : '';
    const connection = await connectWorker(config.temporal, logger, signal);
    try {
      if (isOrchestrating) await registerSearchAttributes(connection, config.temporal.namespace, logger);
      const working = workingPools(pools, activities);
      const idle = pools.filter((pool) => !working.some((name) => name === pool));
      if (idle.length > 0) logger.info({ stage: 'worker', action: 'no work yet', info: { pools: idle } });
      await Promise.all(working.map((pool) => runPool(pool, connection, bundlePath)));
    } finally {
      await connection.close();
    }
  };

  const runSweeper = async (): Promise<void> => {
    const { client, connection } = workflowClient(config.temporal);
    const intervalSeconds = config.sweepIntervalSeconds;
    await new Sweeper({ db, client, logger, intervalSeconds }).run(signal);
    await connection.close();
  };

  const runCollector = async (): Promise<void> => {
    await options.collector?.run(signal);
  };

  const running = Promise.all([runPools(), ...(isOrchestrating ? [runSweeper(), runCollector()] : [])]);
  const broken = new Promise<unknown>((settle) => {
    running.catch((error: unknown) => {
      if (!signal.aborted) settle(error);
    });
  });

  return {
    broken,
    async stop() {
      stopping.abort(new Error('the workers stop'));
      for (const worker of current.values()) shutDown(worker);
      await running.catch(() => undefined);
    },
  };
}

function shutDown(worker: Worker): void {
  // A worker that has not begun to run, or is ending already, refuses.
  if (worker.getState() === 'RUNNING') worker.shutdown();
}

/** Where an operator keeps that right to themselves, the attributes have to be there already. */
async function registerSearchAttributes(
  connection: NativeConnection,
  namespace: string,
  logger: Logger,
): Promise<void> {
  await ensureSearchAttributes(connection, namespace).catch((error: unknown) => {
    logger.warn({ stage: 'worker', action: 'register search attributes', success: false, err: error });
  });
}
