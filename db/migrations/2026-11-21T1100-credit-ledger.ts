import { type Kysely, sql } from 'kysely';

/** What everybody who is there already starts with, as a new account does by default. */
const openingCredits = sql.lit(20);

export async function up(db: Kysely<unknown>): Promise<void> {
  // No reference to users or jobs: what was booked stays booked, whatever is deleted.
  await sql`
    create table credit_transactions (
      id uuid primary key default gen_random_uuid(),
      kind text not null check (kind in ('grant', 'purchase', 'hold', 'capture', 'release')),
      user_id uuid not null,
      amount integer not null check (amount > 0 or (kind = 'grant' and amount < 0)),
      job_id uuid,
      item text,
      settles uuid unique,
      key text unique,
      reason text not null default '',
      actor_id uuid,
      created_at timestamptz not null default clock_timestamp(),
      check ((kind in ('hold', 'capture', 'release')) = (job_id is not null and item is not null)),
      check ((kind in ('capture', 'release')) = (settles is not null)),
      check ((kind in ('capture', 'release')) = (key is null))
    )`.execute(db);
  await sql`
    create index credit_transactions_by_user
      on credit_transactions (user_id, created_at desc, id desc)`.execute(db);
  await sql`
    create table credit_entries (
      transaction_id uuid not null,
      account text not null check (account in ('issued', 'available', 'held', 'earned')),
      user_id uuid,
      amount integer not null check (amount <> 0),
      check ((account in ('available', 'held')) = (user_id is not null))
    )`.execute(db);
  // One entry that takes and one that gives: none can be added to them later.
  await sql`
    create unique index credit_entries_one_each_way
      on credit_entries (transaction_id, (amount > 0))`.execute(db);

  // Derived, for reads and checks that cost the same however long the ledger is.
  await sql`
    create table credit_balances (
      user_id uuid primary key,
      available integer not null default 0 check (available >= 0),
      held integer not null default 0 check (held >= 0)
    )`.execute(db);
  await sql`
    create table credit_open_holds (
      transaction_id uuid primary key,
      user_id uuid not null,
      job_id uuid not null,
      item text not null,
      amount integer not null check (amount > 0),
      unique (job_id, item)
    )`.execute(db);

  await sql`
    create function refuse_ledger_change() returns trigger language plpgsql as $$
    begin
      raise exception 'the ledger is append-only: % on % is refused', tg_op, tg_table_name
        using errcode = 'restrict_violation';
    end $$`.execute(db);
  for (const table of ['credit_transactions', 'credit_entries']) {
    await sql`
      create trigger append_only before update or delete or truncate on ${sql.table(table)}
        for each statement execute function refuse_ledger_change()`.execute(db);
  }

  // A transaction and its entries come in one statement, and these check what came, set by set. Not foreign keys
  // and checks a row: their plans are kept, and those made for a small ledger take minutes for a large batch.
  // For the same reason the queries are planned anew (`execute`).
  await sql`
    create function check_ledger_transactions() returns trigger language plpgsql as $$
    declare broken boolean;
    begin
      execute 'select exists (
        select from added as t left join credit_entries as e on e.transaction_id = t.id
        group by t.id having count(e.transaction_id) <> 2 or sum(e.amount) <> 0)' into broken;
      if broken then
        raise exception 'a transaction comes with two entries that sum to zero'
          using errcode = 'check_violation';
      end if;
      if exists (select from added where settles is not null) then
        execute 'select exists (
          select from added as settled left join credit_transactions as hold on hold.id = settled.settles
          where settled.settles is not null
            and (hold.kind, hold.user_id, hold.job_id, hold.item, hold.amount) is distinct from
              (''hold'', settled.user_id, settled.job_id, settled.item, settled.amount))' into broken;
        if broken then
          raise exception 'a capture or a release matches its hold' using errcode = 'check_violation';
        end if;
      end if;
      return null;
    end $$`.execute(db);
  await sql`
    create function check_ledger_entries() returns trigger language plpgsql as $$
    declare broken boolean;
    begin
      execute 'select exists (
        select from added as e left join credit_transactions as t on t.id = e.transaction_id
        where t.id is null)' into broken;
      if broken then
        raise exception 'entries come with their transaction' using errcode = 'foreign_key_violation';
      end if;
      return null;
    end $$`.execute(db);
  for (const name of ['transactions', 'entries']) {
    await sql`
      create trigger whole after insert on ${sql.table(`credit_${name}`)}
        referencing new table as added
        for each statement execute function ${sql.id(`check_ledger_${name}`)}()`.execute(db);
  }

  // Set with the delivery of what the job was for: from then on it can only end completed.
  await sql`alter table jobs add column delivered_at timestamptz`.execute(db);

  await sql`
    with granted as (
      insert into credit_transactions (kind, user_id, amount, key, reason)
      select 'grant', id, ${openingCredits}, 'signup:' || id, 'credits to begin with' from users
      returning id, user_id, amount
    ), posted as (
      insert into credit_entries (transaction_id, account, user_id, amount)
      select id, 'issued', null, -amount from granted
      union all select id, 'available', user_id, amount from granted
    )
    insert into credit_balances (user_id, available) select user_id, amount from granted`.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`alter table jobs drop column delivered_at`.execute(db);
  for (const table of ['credit_open_holds', 'credit_balances', 'credit_entries', 'credit_transactions']) {
    await sql`drop table ${sql.table(table)}`.execute(db);
  }
  for (const name of ['check_ledger_transactions', 'check_ledger_entries', 'refuse_ledger_change']) {
    await sql`drop function ${sql.id(name)}()`.execute(db);
  }
}
