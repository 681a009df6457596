import { sql, type Selectable } from 'kysely';
import type { JobError } from '../workflows/contract/jobs.js';
import type { RecipientStatus } from '../workflows/contract/personalized.js';
import type { Db } from './database.js';
import type { JobRecipientsTable } from './recipient-tables.js';

export type RecipientRow = Selectable<JobRecipientsTable>;

export interface NewRecipient {
  row: number;
  name: string;
  fields: Record<string, string>;
}

/** Rows of one statement, well below what a statement may have of parameters. */
const rowsAtOnce = 2_000;

/** The recipients of a new job, in their order; in the transaction of the job's row. */
export async function insertRecipients(
  trx: Db,
  jobId: string,
  recipients: readonly NewRecipient[],
): Promise<void> {
  for (let from = 0; from < recipients.length; from += rowsAtOnce) {
    await trx
      .insertInto('job_recipients')
      .values(
        recipients.slice(from, from + rowsAtOnce).map(({ row, name, fields }, index) => ({
          job_id: jobId,
          position: from + index,
          row_number: row,
          name,
          fields: JSON.stringify(fields),
        })),
      )
      .execute();
  }
}

/** The recipients of a job that were not delivered, as those of a new one. */
export async function copyUndelivered(
  trx: Db,
  { from, to, userId }: { from: string; to: string; userId: string },
): Promise<void> {
  await sql`
    insert into job_recipients (job_id, position, row_number, name, fields)
    select ${to}::uuid, row_number() over (order by position) - 1, row_number, name, fields
    from job_recipients
    where job_id = (select id from jobs where id = ${from}::uuid and user_id = ${userId}::uuid)
      and status <> 'completed'`.execute(trx);
}

/**
 * The recipients that a job delivered, as delivered by a new one behind the `behind` that it has: their files are there
 * and paid for.
 */
export async function copyDelivered(
  trx: Db,
  { from, to, userId, behind }: { from: string; to: string; userId: string; behind: number },
): Promise<void> {
  await sql`
    insert into job_recipients (job_id, position, row_number, name, fields, status, file_artifact, file_name,
      duration_seconds, bytes, message, started_at, completed_at)
    select ${to}::uuid, ${behind} + row_number() over (order by position) - 1, row_number, name, fields, status,
      file_artifact, file_name, duration_seconds, bytes, message, started_at, completed_at
    from job_recipients
    where job_id = (select id from jobs where id = ${from}::uuid and user_id = ${userId}::uuid)
      and status = 'completed' and file_artifact is not null`.execute(trx);
}

/** How many a job delivered whose files are there. */
export async function countDeliveredFiles(db: Db, jobId: string): Promise<number> {
  const { count } = await db
    .selectFrom('job_recipients')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('job_id', '=', jobId)
    .where('status', '=', 'completed')
    .where('file_artifact', 'is not', null)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** The words of one recipient. Undefined when the job is gone. */
export function findRecipient(db: Db, jobId: string, position: number): Promise<RecipientRow | undefined> {
  return db
    .selectFrom('job_recipients')
    .selectAll()
    .where('job_id', '=', jobId)
    .where('position', '=', position)
    .executeTakeFirst();
}

/** Positions `from` up to but without `to`, in order. */
export function listRecipientRange(
  db: Db,
  jobId: string,
  { from, to }: { from: number; to: number },
): Promise<RecipientRow[]> {
  return db
    .selectFrom('job_recipients')
    .selectAll()
    .where('job_id', '=', jobId)
    .where('position', '>=', from)
    .where('position', '<', to)
    .orderBy('position')
    .execute();
}

/** A page of a user's own recipients, one row more than `limit` when there is more. */
export function listOwnRecipients(
  db: Db,
  userId: string,
  jobId: string,
  page: { status?: RecipientStatus | undefined; after: number | undefined; limit: number },
): Promise<RecipientRow[]> {
  let query = db
    .selectFrom('job_recipients')
    .innerJoin('jobs', 'jobs.id', 'job_recipients.job_id')
    .selectAll('job_recipients')
    .where('job_recipients.job_id', '=', jobId)
    .where('jobs.user_id', '=', userId)
    .orderBy('job_recipients.position')
    .limit(page.limit + 1);
  if (page.status !== undefined) query = query.where('job_recipients.status', '=', page.status);
  if (page.after !== undefined) query = query.where('job_recipients.position', '>', page.after);
  return query.execute();
}

/** A recipient's file, when it is there and the user's own. */
export function findOwnRecipientFile(
  db: Db,
  userId: string,
  jobId: string,
  position: number,
): Promise<{ file_artifact: string | null; file_name: string | null } | undefined> {
  return db
    .selectFrom('job_recipients')
    .innerJoin('jobs', 'jobs.id', 'job_recipients.job_id')
    .select(['job_recipients.file_artifact', 'job_recipients.file_name'])
    .where('job_recipients.job_id', '=', jobId)
    .where('job_recipients.position', '=', position)
    .where('jobs.user_id', '=', userId)
    .executeTakeFirst();
}

/** Work on a recipient begins. False when it has ended already, or is gone. */
export async function startRecipient(db: Db, jobId: string, position: number): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('job_recipients')
    .set({ status: 'in_progress', started_at: sql<Date>`coalesce(started_at, now())` })
    .where('job_id', '=', jobId)
    .where('position', '=', position)
    .where('status', 'in', ['pending', 'in_progress'])
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export type RecipientEnd =
  | {
      status: 'completed';
      file: string;
      fileName: string;
      durationSeconds: number;
      bytes: number;
      message: string | null;
    }
  | { status: 'failed'; error: JobError };

/** The last word on a recipient, once. False when it had been said. */
export async function endRecipient(
  trx: Db,
  jobId: string,
  position: number,
  end: RecipientEnd,
): Promise<boolean> {
  const change =
    end.status === 'completed'
      ? {
          file_artifact: end.file,
          file_name: end.fileName,
          duration_seconds: end.durationSeconds,
          bytes: end.bytes,
          message: end.message,
        }
      : { error: JSON.stringify(end.error) };
  const { numUpdatedRows } = await trx
    .updateTable('job_recipients')
    .set({ ...change, status: end.status, completed_at: sql<Date>`now()` })
    .where('job_id', '=', jobId)
    .where('position', '=', position)
    .where('status', 'in', ['pending', 'in_progress'])
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** What is not over when its job is. */
export async function cancelOpenRecipients(trx: Db, jobId: string): Promise<void> {
  await trx
    .updateTable('job_recipients')
    .set({ status: 'cancelled', completed_at: sql<Date>`now()` })
    .where('job_id', '=', jobId)
    .where('status', 'in', ['pending', 'in_progress'])
    .execute();
}

/** How many there are of each status. */
export async function countRecipients(db: Db, jobId: string): Promise<Record<RecipientStatus, number>> {
  const rows = await db
    .selectFrom('job_recipients')
    .select(['status', (eb) => eb.fn.countAll<string>().as('count')])
    .where('job_id', '=', jobId)
    .groupBy('status')
    .execute();
  const counts = { pending: 0, in_progress: 0, completed: 0, failed: 0, cancelled: 0 };
  for (const { status, count } of rows) counts[status] = Number(count);
  return counts;
}
