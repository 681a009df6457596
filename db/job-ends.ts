import { sql } from 'kysely';
import type { NamedArtifact } from '../workflows/contract/documents.js';
import type { JobError, StepState } from '../workflows/contract/jobs.js';
import { wholeJob } from '../workflows/contract/prices.js';
import { logActivity } from './activity-log.js';
import { captureHolds, releaseHolds } from './credits.js';
import type { Db } from './database.js';
import { liveStatuses } from './job-status.js';
import { jobTitle } from './job-title.js';
import type { JobRow } from './jobs.js';
import { cancelOpenRecipients, countRecipients } from './recipients.js';

/** The job's row, which nobody else changes until the transaction ends. Undefined when it is over or gone. */
export function lockLiveJob(trx: Db, jobId: string): Promise<JobRow | undefined> {
  return trx
    .selectFrom('jobs')
    .selectAll()
    .where('id', '=', jobId)
    .where('status', 'in', liveStatuses)
    .forUpdate()
    .executeTakeFirst();
}

export interface JobEnd {
  status: 'completed' | 'failed' | 'cancelled';
  error: JobError | null;
  /** What the row has stays where these are not given. */
  result?: Record<string, unknown> | null | undefined;
  steps?: readonly StepState[] | undefined;
  /** 0–100; the row's stays when it is higher. */
  overallProgress?: number | undefined;
}

/**
 * Ends a live job, with what it is charged and what is given back, in the transaction that locked it. A job that
 * has delivered what it was for ends completed, whatever else became of it: its user has it and paid for it.
 */
export async function endJob(trx: Db, job: JobRow, end: JobEnd): Promise<void> {
  const isDelivered = job.delivered_at !== null;
  const status = isDelivered ? 'completed' : end.status;
  const steps = isDelivered ? (end.steps ?? job.steps).map(completed) : end.steps;
  const result =
    job.type === 'personalized' ? { ...end.result, ...(await endBatch(trx, job.id)) } : end.result;
  await trx
    .updateTable('jobs')
    .set({
      status,
      completed_at: sql<Date>`now()`,
      error: isDelivered || end.error === null ? null : JSON.stringify(end.error),
      ...(result == null ? {} : { result: JSON.stringify(result) }),
      ...(steps === undefined ? {} : { steps: JSON.stringify(steps) }),
      overall_progress: sql<number>`greatest(overall_progress, ${end.overallProgress ?? 0}::real)`,
      ...(status === 'completed' ? { delivered_at: sql<Date>`coalesce(delivered_at, now())` } : {}),
    })
    .where('id', '=', job.id)
    .execute();
  if (status === 'completed') await captureHolds(trx, job.id, [wholeJob]);
  await releaseHolds(trx, job.id);
  await logActivity(trx, {
    userId: job.user_id,
    jobId: job.id,
    type: `job_${status}`,
    message: `${endWords[status]}: ${jobTitle(job)}`,
  });
}

/** Recipients that are open will not be made any more. What was delivered stays so, whatever ends the job. */
async function endBatch(trx: Db, jobId: string): Promise<Record<string, number>> {
  await cancelOpenRecipients(trx, jobId);
  const { completed: delivered, failed, cancelled } = await countRecipients(trx, jobId);
  return { delivered, failed, cancelled };
}

const endWords = { completed: 'Finished', failed: 'Failed', cancelled: 'Cancelled' };

function completed(step: StepState): StepState {
  if (step.status === 'completed' || step.status === 'skipped') return step;
  return { ...step, status: 'completed', progress: 100, errorMessage: null };
}

/** Ends a job that no workflow knows. Answers whether it was still so. */
export function cancelUnsubmitted(db: Db, id: string): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const job = await lockLiveJob(trx, id);
    if (job?.status !== 'queued' || job.submitted_at !== null) return false;
    await endJob(trx, job, { status: 'cancelled', error: null });
    return true;
  });
}

/** The job's artifacts, in their order, in place of those that it had. */
export async function replaceArtifacts(
  trx: Db,
  jobId: string,
  artifacts: readonly NamedArtifact[],
): Promise<void> {
  await trx.deleteFrom('job_artifacts').where('job_id', '=', jobId).execute();
  if (artifacts.length === 0) return;
  await trx
    .insertInto('job_artifacts')
    .values(
      artifacts.map(({ kind, name, artifact }, position) => ({
        job_id: jobId,
        kind,
        name,
        artifact_id: artifact,
        position,
      })),
    )
    .execute();
}
