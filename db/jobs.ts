import { sql, type Insertable, type Selectable } from 'kysely';
import type { SceneEdit } from '../workflows/contract/documents.js';
import type { JobStatus, JobType } from '../workflows/contract/jobs.js';
import type { Db } from './database.js';
import { recordJobInputs } from './job-inputs.js';
import { liveStatuses } from './job-status.js';
import { cursorAt, isBehind, type Position } from './pages.js';
import type { JobsTable } from './schema.js';

/** The API's queries on jobs. Whose job it is stands in each of them. */
export type JobRow = Selectable<JobsTable>;
export type NewJob = Insertable<JobsTable>;

/** Writes a job and holds on to the files that it is given; in one transaction. */
export async function insertJob(trx: Db, job: NewJob): Promise<JobRow> {
  const row = await trx.insertInto('jobs').values(job).returningAll().executeTakeFirstOrThrow();
  await recordJobInputs(trx, row.id, row.workflow_input, picturesOf(row.edits));
  return row;
}

export function findJob(db: Db, userId: string, id: string): Promise<JobRow | undefined> {
  return db
    .selectFrom('jobs')
    .selectAll()
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .executeTakeFirst();
}

export interface JobFilter {
  type?: JobType | undefined;
  status?: JobStatus | undefined;
  projectId?: string | undefined;
  after: Position | undefined;
  limit: number;
}

/** Newest first, one row more than `limit` when there is more. */
export function listJobs(
  db: Db,
  userId: string,
  filter: JobFilter,
): Promise<(JobRow & { cursorAt: string })[]> {
  let query = db
    .selectFrom('jobs')
    .selectAll()
    .select(cursorAt('jobs'))
    .where('user_id', '=', userId)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(filter.limit + 1);
  if (filter.type !== undefined) query = query.where('type', '=', filter.type);
  if (filter.status !== undefined) query = query.where('status', '=', filter.status);
  if (filter.projectId !== undefined) query = query.where('project_id', '=', filter.projectId);
  if (filter.after !== undefined) query = query.where(isBehind('jobs', filter.after));
  return query.execute();
}

/** Temporal has the job now. Answers whether the user asked to cancel it meanwhile. */
export async function markSubmitted(db: Db, id: string): Promise<{ cancelRequested: boolean }> {
  const row = await db
    .updateTable('jobs')
    .set({ submitted_at: sql<Date>`coalesce(submitted_at, now())` })
    .where('id', '=', id)
    .returning('cancel_requested_at')
    .executeTakeFirst();
  return { cancelRequested: row?.cancel_requested_at != null };
}

/** Notes the wish to cancel. Undefined when the job is over or the wish is noted already. */
export async function requestCancel(db: Db, userId: string, id: string): Promise<JobRow | undefined> {
  return db
    .updateTable('jobs')
    .set({ cancel_requested_at: sql<Date>`now()` })
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .where('status', 'in', liveStatuses)
    .where('cancel_requested_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
}

/** Keeps how far a job was seen before it was done, so that another process never shows less. */
export async function raiseProgress(db: Db, id: string, overallProgress: number): Promise<void> {
  await db
    .updateTable('jobs')
    .set({ overall_progress: sql<number>`greatest(overall_progress, ${overallProgress}::real)` })
    .where('id', '=', id)
    .where('status', '!=', 'completed')
    .execute();
}

/**
 * Runs `work` with the right to answer a job's review gate, which one request has at a time, in whatever
 * process. Undefined when another has it. `work` must use the connection that it is given: waiting for a second
 * one while holding the first could wait for ever.
 */
export function withApprovalLock<T>(
  db: Db,
  id: string,
  work: (connection: Db) => Promise<T>,
): Promise<T | undefined> {
  return db.connection().execute(async (connection) => {
    const key = sql`hashtextextended(${`approval:${id}`}, 0)`;
    const { rows } = await sql<{ locked: boolean }>`select pg_try_advisory_lock(${key}) as locked`.execute(
      connection,
    );
    if (rows[0]?.locked !== true) return undefined;
    try {
      return await work(connection);
    } finally {
      await sql`select pg_advisory_unlock(${key})`.execute(connection);
    }
  });
}

/**
 * Keeps the edits of an answer before the workflow has it, which then reads them. False when the review was answered
 * already or the job is over; then those that count stay.
 */
export async function setEdits(db: Db, userId: string, id: string, edits: SceneEdit[]): Promise<boolean> {
  const updated = await db
    .updateTable('jobs')
    .set({ edits: JSON.stringify(edits) })
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .where('status', 'in', liveStatuses)
    .where('review_answered_at', 'is', null)
    .returning('id')
    .executeTakeFirst();
  if (updated !== undefined) await recordJobInputs(db, id, picturesOf(edits));
  return updated !== undefined;
}

/** The workflow has taken an answer; others come too late. */
export async function markReviewAnswered(db: Db, id: string): Promise<void> {
  await db
    .updateTable('jobs')
    .set({ review_answered_at: sql`now()` })
    .where('id', '=', id)
    .execute();
}

/** The files that edits name. Their texts are the user's, who may well write what looks like the id of a file. */
function picturesOf(edits: readonly SceneEdit[]): unknown[] {
  return edits.map(({ imageArtifact }) => imageArtifact);
}

export interface JobArtifactRow {
  kind: string;
  name: string;
  id: string;
  sha256: string;
  bytes: number;
  contentType: string;
}

/** In the job's own order. */
export async function listJobArtifacts(db: Db, userId: string, jobId: string): Promise<JobArtifactRow[]> {
  const rows = await db
    .selectFrom('job_artifacts')
    .innerJoin('jobs', 'jobs.id', 'job_artifacts.job_id')
    .innerJoin('artifacts', 'artifacts.id', 'job_artifacts.artifact_id')
    .select(['job_artifacts.kind', 'job_artifacts.name', 'artifacts.id', 'artifacts.sha256'])
    .select(['artifacts.bytes', 'artifacts.content_type as contentType'])
    .where('jobs.id', '=', jobId)
    .where('jobs.user_id', '=', userId)
    .orderBy('job_artifacts.position')
    .execute();
  return rows.map((row) => ({ ...row, bytes: Number(row.bytes) }));
}

/** Which kinds each of these artifacts has among the user's own jobs; absent when it is none of theirs. */
export async function kindsOfOwnArtifacts(
  db: Db,
  userId: string,
  ids: string[],
): Promise<Map<string, Set<string>>> {
  const kinds = new Map<string, Set<string>>();
  if (ids.length === 0) return kinds;
  const rows = await db
    .selectFrom('job_artifacts')
    .innerJoin('jobs', 'jobs.id', 'job_artifacts.job_id')
    .select(['job_artifacts.artifact_id', 'job_artifacts.kind'])
    .distinct()
    .where('jobs.user_id', '=', userId)
    .where('job_artifacts.artifact_id', 'in', ids)
    .execute();
  for (const row of rows) {
    kinds.set(row.artifact_id, (kinds.get(row.artifact_id) ?? new Set()).add(row.kind));
  }
  return kinds;
}

export async function countJobs(db: Db): Promise<{ type: JobType; status: JobStatus; count: number }[]> {
  const rows = await db
    .selectFrom('jobs')
    .select(['type', 'status', (eb) => eb.fn.countAll<string>().as('count')])
    .groupBy(['type', 'status'])
    .execute();
  return rows.map((row) => ({ ...row, count: Number(row.count) }));
}
