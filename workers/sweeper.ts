import { setTimeout as sleep } from 'node:timers/promises';
import { isGrpcServiceError, WorkflowNotFoundError, type WorkflowClient } from '@temporalio/client';
import type { Db } from '../db/database.js';
import {
  cancelNeverSubmitted,
  listCancelRequested,
  listSubmitted,
  releaseStrandedHolds,
  setSubmitted,
  withUnsubmitted,
  type UnsubmittedJob,
} from '../db/job-sweeps.js';
import { jobTitle } from '../db/job-title.js';
import type { Logger } from '../logger.js';
import { workflowId } from '../workflows/contract/jobs.js';
import { JobNotSubmittedError, startJob } from '../workflows/start-job.js';
import { startDueWebhooks } from './due-webhooks.js';
import { closeLostJob } from './lost-jobs.js';

export interface SweeperDeps {
  db: Db;
  client: WorkflowClient;
  logger: Logger;
  intervalSeconds: number;
  /** How long the API is given to start what it accepted. */
  graceSeconds?: number;
}

const batchSize = 20;
/** Workflows that one sweep looks at; the next one goes on after them. */
const checksPerSweep = 100;
/** A request to an engine that went silent must not hold up the sweeps for ever. */
const deadlineMs = 5_000;
/** gRPC status of a request that no repetition mends. */
const invalidArgument = 3;

/**
 * Keeps the promise of an accepted job, whatever happened to the API or the engine meanwhile: starts what has
 * no workflow, cancels what was cancelled before it had one, passes on cancels that did not arrive, closes
 * jobs whose workflow ended without a word, gives back what is still set aside for jobs that are over, and has
 * every end told to its callback address. Any number of sweepers may run.
 */
export class Sweeper {
  readonly #deps: SweeperDeps;
  readonly #graceSeconds: number;
  #after: string | undefined;

  constructor(deps: SweeperDeps) {
    this.#deps = deps;
    this.#graceSeconds = deps.graceSeconds ?? 5;
  }

  /** Sweeps until the signal aborts; a failed sweep is followed by the next one. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.sweep();
      await sleep(this.#deps.intervalSeconds * 1_000, undefined, { signal }).catch(() => undefined);
    }
  }

  /** One round of everything; what fails is logged, keeps nothing else from being done, and is tried next time. */
  async sweep(): Promise<void> {
    const { db } = this.#deps;
    const page = { olderThanSeconds: this.#graceSeconds, limit: checksPerSweep };
    await this.#attempt('cancel unsubmitted', () => cancelNeverSubmitted(db, page));
    await this.#attempt('start', () => this.#startUnsubmitted());
    await this.#attempt('pass on cancels', () => this.#passOnCancels());
    await this.#attempt('close lost', () => this.#closeLost());
    await this.#attempt('release holds', () => this.#releaseHolds());
    await this.#attempt('start webhooks', () => startDueWebhooks(this.#deps.db, this.#deps.client));
  }

  async #attempt(action: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#deps.logger.warn({ stage: 'sweeper', action, success: false, info: { reason } });
    }
  }

  async #startUnsubmitted(): Promise<void> {
    const refused: string[] = [];
    for (;;) {
      const options = { olderThanSeconds: this.#graceSeconds, limit: batchSize, except: refused };
      const isMore = await withUnsubmitted(this.#deps.db, options, async (trx, jobs) => {
        for (const job of jobs) {
          const outcome = await this.#start(job);
          if (outcome === 'engine_away') return false;
          if (outcome === 'refused') refused.push(job.id);
          else await setSubmitted(trx, job.id);
        }
        return jobs.length === batchSize;
      });
      if (!isMore) return;
    }
  }

  async #start(job: UnsubmittedJob): Promise<'submitted' | 'refused' | 'engine_away'> {
    const fields = { jobId: job.id, stage: 'sweeper', action: 'start' };
    try {
      const outcome = await startJob(this.#deps.client, { ...job, title: jobTitle(job) });
      this.#deps.logger.info({ ...fields, success: true, info: { outcome } });
      return 'submitted';
    } catch (error) {
      this.#deps.logger.warn({ ...fields, success: false, err: error });
      return isRefusal(error) ? 'refused' : 'engine_away';
    }
  }

  async #passOnCancels(): Promise<void> {
    const { db, client } = this.#deps;
    const ids = await listCancelRequested(db, this.#graceSeconds, batchSize);
    for (const id of ids) {
      const handle = client.getHandle(workflowId(id));
      await client
        .withDeadline(Date.now() + deadlineMs, () => handle.cancel())
        .catch((error: unknown) => {
          // It ended meanwhile, or the check for lost jobs will find it.
          if (!(error instanceof WorkflowNotFoundError)) throw error;
        });
    }
  }

  async #releaseHolds(): Promise<void> {
    const jobs = await releaseStrandedHolds(this.#deps.db, checksPerSweep);
    if (jobs === 0) return;
    this.#deps.logger.warn({ stage: 'sweeper', action: 'release holds', success: true, info: { jobs } });
  }

  async #closeLost(): Promise<void> {
    const { db, client, logger } = this.#deps;
    const page = { after: this.#after, olderThanSeconds: this.#graceSeconds, limit: checksPerSweep };
    const ids = await listSubmitted(db, page);
    // Before they are looked at: a job that cannot be must not keep the sweeps from those behind it.
    this.#after = ids.length === checksPerSweep ? ids.at(-1) : undefined;
    for (const id of ids) {
      const ended = await closeLostJob(db, client, id);
      if (ended) logger.warn({ jobId: id, stage: 'sweeper', action: 'close', success: true });
    }
  }
}

function isRefusal(error: unknown): boolean {
  const cause = error instanceof JobNotSubmittedError ? error.cause : error;
  const root = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
  if (!isGrpcServiceError(root)) return false;
  const status: number = root.code;
  return status === invalidArgument;
}
