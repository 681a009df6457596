import { sql } from 'kysely';
import type { NamedArtifact, SceneEdit } from '../workflows/contract/documents.js';
import type { FinishJobInput } from '../workflows/contract/jobs.js';
import { HoldReleased } from './credits.js';
import type { Db } from './database.js';
import { endJob, lockLiveJob, replaceArtifacts } from './job-ends.js';
import { liveStatuses } from './job-status.js';

/** The workflows' records of a job: their writes are keyed by the job, so that each may be repeated. */

/** The row says that work goes on. Undefined when there is no such job or it is over. */
export async function recordStart(db: Db, jobId: string): Promise<{ hasEdits: boolean } | undefined> {
  const row = await db
    .updateTable('jobs')
    .set({
      status: 'in_progress',
      started_at: sql<Date>`coalesce(started_at, now())`,
      submitted_at: sql<Date>`coalesce(submitted_at, now())`,
    })
    .where('id', '=', jobId)
    .where('status', 'in', liveStatuses)
    .returning('edits')
    .executeTakeFirst();
  return row && { hasEdits: row.edits.length > 0 };
}

/** The row says that the job waits for its user; the artifacts are there to be read meanwhile. */
export async function recordAwaitingApproval(
  db: Db,
  jobId: string,
  artifacts: readonly NamedArtifact[],
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const updated = await trx
      .updateTable('jobs')
      .set({ status: 'awaiting_approval' })
      .where('id', '=', jobId)
      .where('status', 'in', liveStatuses)
      .returning('id')
      .execute();
    if (updated.length > 0) await replaceArtifacts(trx, jobId, artifacts);
  });
}

/** Edits that the user gave with an approval or a scene's change. */
export async function readEdits(db: Db, jobId: string): Promise<SceneEdit[]> {
  const row = await db.selectFrom('jobs').select('edits').where('id', '=', jobId).executeTakeFirst();
  return row?.edits ?? [];
}

/**
 * The last word on a job, once: a job that is over stays as it is. A job without artifacts of its own keeps
 * those that were recorded on the way, such as a script that was reviewed. One whose credits were given back by
 * hand has not delivered, and fails.
 */
export async function recordEnd(db: Db, ending: FinishJobInput): Promise<void> {
  await writeEnd(db, ending).catch((error: unknown) => {
    if (!(error instanceof HoldReleased)) throw error;
    const detail = 'The credits for this job were given back before it was done.';
    const unpaid = { code: 'hold_released', detail, step: null, retryable: true };
    return writeEnd(db, { ...ending, status: 'failed', error: unpaid, result: null, artifacts: [] });
  });
}

function writeEnd(db: Db, ending: FinishJobInput): Promise<void> {
  const { jobId, status, progress, result, error, artifacts } = ending;
  return db.transaction().execute(async (trx) => {
    const job = await lockLiveJob(trx, jobId);
    if (job === undefined) return;
    const { steps, overallProgress } = progress;
    await endJob(trx, job, { status, error, result, steps, overallProgress });
    if (artifacts.length > 0) await replaceArtifacts(trx, jobId, artifacts);
  });
}
