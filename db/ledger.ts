import { sql, type RawBuilder } from 'kysely';
import type { Account, TransactionKind } from './credit-tables.js';
import type { Db } from './database.js';

/** Where each kind of transaction takes credits from, and where it puts them. */
const routes: Record<TransactionKind, readonly [from: Account, to: Account]> = {
  grant: ['issued', 'available'],
  purchase: ['issued', 'available'],
  hold: ['available', 'held'],
  capture: ['held', 'earned'],
  release: ['held', 'available'],
};

/** What a posting moved. Both are 0 when all of it had been posted before. */
export interface Posted {
  transactions: number;
  credits: number;
}

/** What the audit log says of a posting. */
export interface PostingAudit {
  action: string;
  /** Null where the program itself did it. */
  actorId: string | null;
  jobId: string;
}

/**
 * Writes transactions of one kind and one user, their entries, the balance and the open holds that follow from
 * them, and the one row of the audit log that tells of them all, in one statement. A transaction whose key is there
 * already is passed over; when all are, nothing is written. The caller holds the lock of the user's balance.
 *
 * @param movements SQL that yields user_id, amount, job_id, item, settles, key, reason, actor_id.
 * @param audit without it the caller writes that row.
 * @throws pg's check violation of `credit_balances_available_check` when the balance would go below zero.
 */
export async function post(
  trx: Db,
  kind: TransactionKind,
  userId: string,
  movements: RawBuilder<unknown>,
  audit?: PostingAudit,
): Promise<Posted> {
  const [from, to] = routes[kind];
  const ownerOf = (account: Account) =>
    account === 'available' || account === 'held' ? sql`user_id` : sql`null::uuid`;
  const change = (account: Account) => sql.lit(account === to ? 1 : account === from ? -1 : 0);
  const { rows } = await sql<Posted>`
    with movement (user_id, amount, job_id, item, settles, key, reason, actor_id) as (${movements}),
    added as (
      insert into credit_transactions (kind, user_id, amount, job_id, item, settles, key, reason, actor_id)
      select ${kind}, movement.* from movement
      on conflict (key) do nothing
      returning id, user_id, amount, job_id, item
    ), entries as (
      insert into credit_entries (transaction_id, account, user_id, amount)
      select id, ${from}, ${ownerOf(from)}, -amount from added
      union all select id, ${to}, ${ownerOf(to)}, amount from added
    ), opened as (
      insert into credit_open_holds (transaction_id, user_id, job_id, item, amount)
      select id, user_id, job_id, item, amount from added where ${kind} = 'hold'
    ), moved as (
      select count(*)::int as transactions, coalesce(sum(amount), 0)::int as credits from added
    ), balance as (
      update credit_balances
      set available = available + ${change('available')} * moved.credits,
          held = held + ${change('held')} * moved.credits
      from moved where credit_balances.user_id = ${userId} and moved.transactions > 0
    ), audited as (
      insert into audit_log (action, actor_id, target, detail)
      select ${audit?.action ?? null}::text, ${audit?.actorId ?? null}::uuid, ${userId}::text,
        jsonb_build_object('jobId', ${audit?.jobId ?? null}::text, 'amount', credits, 'items', transactions)
      from moved where transactions > 0 and ${audit !== undefined}
    )
    select transactions, credits from moved`.execute(trx);
  return rows[0] ?? { transactions: 0, credits: 0 };
}

export interface Balance {
  available: number;
  held: number;
}

/** The user's balance, locked until the transaction ends, so that what is booked on it goes one by one. */
export async function lockBalance(trx: Db, userId: string): Promise<Balance> {
  const locked = trx
    .selectFrom('credit_balances')
    .select(['available', 'held'])
    .where('user_id', '=', userId)
    .forUpdate();
  const balance = await locked.executeTakeFirst();
  if (balance !== undefined) return balance;
  await trx
    .insertInto('credit_balances')
    .values({ user_id: userId })
    .onConflict((conflict) => conflict.column('user_id').doNothing())
    .execute();
  return locked.executeTakeFirstOrThrow();
}

/** O(1), however long the ledger is. */
export async function readBalance(db: Db, userId: string): Promise<Balance> {
  const row = await db
    .selectFrom('credit_balances')
    .select(['available', 'held'])
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return row ?? { available: 0, held: 0 };
}
