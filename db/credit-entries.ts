import { sql } from 'kysely';
import type { TransactionKind } from './credit-tables.js';
import type { Db } from './database.js';
import { cursorAt, isBehind, type Position } from './pages.js';

/** One movement of a user's credits, with what it changed of both of their accounts. */
export interface CreditMovement {
  id: string;
  kind: TransactionKind;
  /** Credits that came to what can be spent; negative when they went. */
  available: number;
  /** The same of what is set aside. */
  held: number;
  jobId: string | null;
  item: string | null;
  reason: string;
  createdAt: Date;
}

/** Newest first, one row more than `limit` when there is more. */
export function listCreditMovements(
  db: Db,
  userId: string,
  page: { kind?: TransactionKind | undefined; after: Position | undefined; limit: number },
): Promise<(CreditMovement & { cursorAt: string })[]> {
  const changeOf = (account: 'available' | 'held') => sql<number>`coalesce((
    select entry.amount from credit_entries as entry
    where entry.transaction_id = credit_transactions.id and entry.account = ${account}), 0)`;
  let query = db
    .selectFrom('credit_transactions')
    .select(['id', 'kind', 'job_id as jobId', 'item', 'reason', 'created_at as createdAt'])
    .select([changeOf('available').as('available'), changeOf('held').as('held')])
    .select(cursorAt('credit_transactions'))
    .where('user_id', '=', userId)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit + 1);
  if (page.kind !== undefined) query = query.where('kind', '=', page.kind);
  if (page.after !== undefined) query = query.where(isBehind('credit_transactions', page.after));
  return query.execute();
}
