import { sql } from 'kysely';

/** Where a page ended: the row's time in UTC with its microseconds, which matter, and its id. */
export interface Position {
  /** As in `2026-11-21T03:04:05.678901Z`. */
  at: string;
  id: string;
}

type PagedTable =
  | 'jobs'
  | 'videos'
  | 'credit_transactions'
  | 'activities'
  | 'users'
  | 'api_keys'
  | 'audit_log'
  | 'projects'
  | 'assets';

/** Selects the time of a row's {@link Position}. */
export function cursorAt(table: PagedTable) {
  const createdAt = sql.ref(`${table}.created_at`);
  return sql<string>`to_char(${createdAt} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`.as(
    'cursorAt',
  );
}

/** True of the rows that stand behind a position, newest first. */
export function isBehind(table: PagedTable, { at, id }: Position) {
  const row = sql`(${sql.ref(`${table}.created_at`)}, ${sql.ref(`${table}.id`)})`;
  return sql<boolean>`${row} < (${at}::timestamptz, ${id}::uuid)`;
}
