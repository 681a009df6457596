import { sql } from 'kysely';
import type { JobStatus, JobType } from '../workflows/contract/jobs.js';
import type { Account } from './credit-tables.js';
import type { Db } from './database.js';
import type { JobRow } from './jobs.js';
import { cursorAt, isBehind, type Position } from './pages.js';
import type { UserRow } from './users.js';

/** Queries over everybody's things, for admins only. */

export interface UserFilter {
  /** Part of the e-mail address or of a name, in any case. */
  query?: string | undefined;
  status?: UserRow['status'] | undefined;
  role?: UserRow['role'] | undefined;
  after: Position | undefined;
  limit: number;
}

/** Newest first, one row more than `limit` when there is more; `credits` are those that they can spend. */
export function listUsers(
  db: Db,
  filter: UserFilter,
): Promise<(UserRow & { credits: number; cursorAt: string })[]> {
  let query = db
    .selectFrom('users')
    .leftJoin('credit_balances', 'credit_balances.user_id', 'users.id')
    .selectAll('users')
    .select(cursorAt('users'))
    .select((eb) => eb.fn.coalesce('credit_balances.available', sql<number>`0`).as('credits'))
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(filter.limit + 1);
  if (filter.query !== undefined) {
    query = query.where(
      sql<boolean>`position(lower(${filter.query}::text) in
        lower(concat_ws(E'\n', email, name, first_name, last_name, first_name || ' ' || last_name))) > 0`,
    );
  }
  if (filter.status !== undefined) query = query.where('status', '=', filter.status);
  if (filter.role !== undefined) query = query.where('role', '=', filter.role);
  if (filter.after !== undefined) query = query.where(isBehind('users', filter.after));
  return query.execute();
}

/**
 * The rows of an admin and of whom they act on, held until the transaction ends; in one order, so that two
 * admins who act on each other take turns. Undefined is who is not there.
 */
export async function lockActorAndTarget(
  trx: Db,
  actorId: string,
  targetId: string,
): Promise<{ actor: UserRow | undefined; target: UserRow | undefined }> {
  const rows = await trx
    .selectFrom('users')
    .selectAll()
    .where('id', 'in', [actorId, targetId])
    .orderBy('id')
    .forNoKeyUpdate()
    .execute();
  return { actor: rows.find(({ id }) => id === actorId), target: rows.find(({ id }) => id === targetId) };
}

export function setUserStatus(db: Db, id: string, status: UserRow['status']): Promise<UserRow> {
  return db
    .updateTable('users')
    .set({ status, updated_at: new Date() })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

export interface AllJobsFilter {
  type?: JobType | undefined;
  status?: JobStatus | undefined;
  userId?: string | undefined;
  after: Position | undefined;
  limit: number;
}

export type OwnedJobRow = JobRow & { userEmail: string; cursorAt: string };

/** Newest first, one row more than `limit` when there is more. */
export function listAllJobs(db: Db, filter: AllJobsFilter): Promise<OwnedJobRow[]> {
  let query = db
    .selectFrom('jobs')
    .innerJoin('users', 'users.id', 'jobs.user_id')
    .selectAll('jobs')
    .select('users.email as userEmail')
    .select(cursorAt('jobs'))
    .orderBy('jobs.created_at', 'desc')
    .orderBy('jobs.id', 'desc')
    .limit(filter.limit + 1);
  if (filter.type !== undefined) query = query.where('jobs.type', '=', filter.type);
  if (filter.status !== undefined) query = query.where('jobs.status', '=', filter.status);
  if (filter.userId !== undefined) query = query.where('jobs.user_id', '=', filter.userId);
  if (filter.after !== undefined) query = query.where(isBehind('jobs', filter.after));
  return query.execute();
}

export interface UserCounts {
  total: number;
  active: number;
  suspended: number;
  admins: number;
}

export async function countUsers(db: Db): Promise<UserCounts> {
  const count = (condition: ReturnType<typeof sql<boolean>>) =>
    sql<number>`count(*) filter (where ${condition})::integer`;
  return db
    .selectFrom('users')
    .select([
      sql<number>`count(*)::integer`.as('total'),
      count(sql`status = 'active'`).as('active'),
      count(sql`status = 'suspended'`).as('suspended'),
      count(sql`role = 'admin'`).as('admins'),
    ])
    .executeTakeFirstOrThrow();
}

/** What the artifacts take up, each counted once however many refer to it. */
export async function measureArtifacts(db: Db): Promise<{ objects: number; bytes: number }> {
  const row = await db
    .selectFrom('artifacts')
    .select([
      (eb) => eb.fn.countAll<string>().as('objects'),
      sql<string>`coalesce(sum(bytes), 0)`.as('bytes'),
    ])
    .executeTakeFirstOrThrow();
  return { objects: Number(row.objects), bytes: Number(row.bytes) };
}

/** All credits by where they are: `issued` = `available` + `held` + `earned`. */
export async function sumCredits(
  db: Db,
): Promise<{ issued: number; available: number; held: number; earned: number }> {
  const rows = await db
    .selectFrom('credit_entries')
    .select(['account', sql<string>`sum(amount)`.as('sum')])
    .groupBy('account')
    .execute();
  const sumOf = (account: Account) => Number(rows.find((row) => row.account === account)?.sum ?? 0);
  return {
    // What is given out is taken from here, so that all accounts sum to zero.
    issued: 0 - sumOf('issued'),
    available: sumOf('available'),
    held: sumOf('held'),
    earned: sumOf('earned'),
  };
}
