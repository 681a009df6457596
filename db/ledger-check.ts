import { sql } from 'kysely';
import type { Db } from './database.js';

/** Something in the ledger that must not be: which rule, and the transaction or user that breaks it. */
export interface LedgerFault {
  rule: string;
  subject: string;
}

/** At most so many faults of one rule are named. */
const named = sql.lit(10);

/**
 * Checks the whole ledger against its rules and names what breaks them; empty when all is well. Reads every
 * entry: for tests and operators.
 */
export async function checkLedger(db: Db): Promise<LedgerFault[]> {
  const { rows } = await sql<LedgerFault>`
    (select 'the entries of a transaction are two and sum to zero' as rule, t.id::text as subject
      from credit_transactions as t left join credit_entries as e on e.transaction_id = t.id
      group by t.id
      having count(e.transaction_id) <> 2 or sum(e.amount) <> 0
      limit ${named})
    union all
    (select 'all entries sum to zero', sum(amount)::text from credit_entries having sum(amount) <> 0)
    union all
    (select 'a balance is the sum of its entries', user_id::text
      from (
        select user_id,
          sum(amount) filter (where account = 'available') as available,
          sum(amount) filter (where account = 'held') as held
        from credit_entries where user_id is not null group by user_id
      ) as booked
      full join credit_balances as kept using (user_id)
      where coalesce(booked.available, 0) <> coalesce(kept.available, 0)
         or coalesce(booked.held, 0) <> coalesce(kept.held, 0)
      limit ${named})
    union all
    (select 'a hold is open until it is captured or released', coalesce(open.transaction_id, hold.id)::text
      from (
        select id, user_id, job_id, item, amount from credit_transactions as hold
        where kind = 'hold'
          and not exists (select from credit_transactions as settled where settled.settles = hold.id)
      ) as hold
      full join credit_open_holds as open on open.transaction_id = hold.id
      where (hold.id, hold.user_id, hold.job_id, hold.item, hold.amount)
        is distinct from (open.transaction_id, open.user_id, open.job_id, open.item, open.amount)
      limit ${named})
    union all
    (select 'a capture or a release matches its hold', settled.id::text
      from credit_transactions as settled left join credit_transactions as hold on hold.id = settled.settles
      where settled.kind in ('capture', 'release')
        and (hold.kind, hold.user_id, hold.job_id, hold.item, hold.amount)
          is distinct from ('hold', settled.user_id, settled.job_id, settled.item, settled.amount)
      limit ${named})`.execute(db);
  return rows;
}
