import { sql, type Transaction } from 'kysely';
import type { JobError, JobType, StepState } from '../workflows/contract/jobs.js';
import { releaseHolds } from './credits.js';
import type { Db } from './database.js';
import { cancelUnsubmitted, endJob, lockLiveJob } from './job-ends.js';
import { liveStatuses } from './job-status.js';
import type { Database } from './schema.js';

/** Queries over all users' jobs, for the sweeper only. */

export interface UnsubmittedJob {
  id: string;
  type: JobType;
  userId: string;
  input: Record<string, unknown>;
  parameters: Record<string, unknown>;
}

/**
 * Locks the oldest jobs that no workflow has yet, so that several sweepers share them, and hands them to
 * `work` while the locks hold. Jobs in `except` are passed over.
 */
export function withUnsubmitted<T>(
  db: Db,
  options: { olderThanSeconds: number; limit: number; except: readonly string[] },
  work: (trx: Transaction<Database>, jobs: UnsubmittedJob[]) => Promise<T>,
): Promise<T> {
  return db.transaction().execute(async (trx) => {
    let query = trx
      .selectFrom('jobs')
      .select(['id', 'type', 'user_id', 'workflow_input', 'parameters'])
      .where('submitted_at', 'is', null)
      .where('cancel_requested_at', 'is', null)
      .where('status', '=', 'queued')
      .where('created_at', '<', secondsAgo(options.olderThanSeconds))
      .orderBy('created_at')
      .limit(options.limit)
      .forUpdate()
      .skipLocked();
    if (options.except.length > 0) query = query.where('id', 'not in', options.except);
    const rows = await query.execute();
    const jobs = rows.map((row) => ({
      id: row.id,
      type: row.type,
      userId: row.user_id,
      input: row.workflow_input,
      parameters: row.parameters,
    }));
    return work(trx, jobs);
  });
}

export async function setSubmitted(trx: Transaction<Database>, jobId: string): Promise<void> {
  await trx
    .updateTable('jobs')
    .set({ submitted_at: sql<Date>`coalesce(submitted_at, now())` })
    .where('id', '=', jobId)
    .execute();
}

/** Ends jobs that their user cancelled before any workflow had them. */
export async function cancelNeverSubmitted(
  db: Db,
  options: { olderThanSeconds: number; limit: number },
): Promise<void> {
  const rows = await db
    .selectFrom('jobs')
    .select('id')
    .where('submitted_at', 'is', null)
    .where('status', '=', 'queued')
    .where('cancel_requested_at', '<', secondsAgo(options.olderThanSeconds))
    .orderBy('created_at')
    .limit(options.limit)
    .execute();
  for (const { id } of rows) await cancelUnsubmitted(db, id);
}

/** Running jobs that their user cancelled some time ago: the engine may not have been told. */
export async function listCancelRequested(
  db: Db,
  olderThanSeconds: number,
  limit: number,
): Promise<string[]> {
  const rows = await db
    .selectFrom('jobs')
    .select('id')
    .where('status', 'in', liveStatuses)
    .where('submitted_at', 'is not', null)
    .where('cancel_requested_at', '<', secondsAgo(olderThanSeconds))
    .orderBy('cancel_requested_at', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}

/** A page of jobs that a workflow should be running for, by id after `after`. */
export async function listSubmitted(
  db: Db,
  options: { after: string | undefined; olderThanSeconds: number; limit: number },
): Promise<string[]> {
  let query = db
    .selectFrom('jobs')
    .select('id')
    .where('status', 'in', liveStatuses)
    .where('submitted_at', '<', secondsAgo(options.olderThanSeconds))
    .orderBy('id')
    .limit(options.limit);
  if (options.after !== undefined) query = query.where('id', '>', options.after);
  return (await query.execute()).map((row) => row.id);
}

/**
 * The end of a job whose workflow ended without a last word; a cancelled one is cancelled.
 *
 * @param steps as they were seen last; the row's stay without them.
 */
export function recordLost(
  db: Db,
  jobId: string,
  error: JobError,
  steps: readonly StepState[] | undefined,
): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const job = await lockLiveJob(trx, jobId);
    if (job === undefined) return false;
    const isCancelled = job.cancel_requested_at !== null;
    await endJob(trx, job, {
      status: isCancelled ? 'cancelled' : 'failed',
      error: isCancelled ? null : error,
      steps,
    });
    return true;
  });
}

/**
 * Releases the holds of jobs that ended or went away without doing so; nothing of ours leaves such holds, but
 * whoever ends a job by hand does. Answers how many jobs there were.
 */
export async function releaseStrandedHolds(db: Db, limit: number): Promise<number> {
  const stranded = await db
    .selectFrom('credit_open_holds as hold')
    .select('hold.job_id')
    .distinct()
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('jobs')
            .select('jobs.id')
            .whereRef('jobs.id', '=', 'hold.job_id')
            .where('jobs.status', 'in', liveStatuses),
        ),
      ),
    )
    .limit(limit)
    .execute();
  for (const { job_id: jobId } of stranded) {
    await db.transaction().execute((trx) => releaseHolds(trx, jobId));
  }
  return stranded.length;
}

const secondsAgo = (seconds: number) => sql<Date>`now() - make_interval(secs => ${seconds})`;
