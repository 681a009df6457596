import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  captureHolds,
  grantCredits,
  HoldReleased,
  InsufficientCredits,
  placeHolds,
  releaseHolds,
} from '../../db/credits.js';
import type { Db } from '../../db/database.js';
import { recordEnd } from '../../db/job-records.js';
import { releaseStrandedHolds } from '../../db/job-sweeps.js';
import { checkLedger } from '../../db/ledger-check.js';
import { readBalance } from '../../db/ledger.js';
import { wholeJob } from '../../workflows/contract/prices.js';
import { runRandomLedger } from '../support/random-ledger.js';
import { createTestDatabase, type TestDatabase } from '../support/services.js';

let database: TestDatabase;
let db: Db;

beforeAll(async () => {
  database = await createTestDatabase({ poolSize: 12 });
  db = database.db;
});
afterAll(() => database.drop());

const inTransaction = <T>(work: (trx: Db) => Promise<T>): Promise<T> => db.transaction().execute(work);

async function userWith(amount: number): Promise<string> {
  const { id } = await db
    .insertInto('users')
    .values({ email: `${randomUUID()}@example.org`, password_hash: 'x' })
    .returning('id')
    .executeTakeFirstOrThrow();
  if (amount > 0) await grant(id, amount);
  return id;
}

const grant = (userId: string, amount: number, key: string = randomUUID()) =>
  inTransaction((trx) => grantCredits(trx, { userId, amount, reason: 'a test', actorId: null, key }));

async function jobOf(userId: string): Promise<string> {
  const id = randomUUID();
  await db
    .insertInto('jobs')
    .values({
      id,
      user_id: userId,
      type: 'explainer',
      parameters: '{}',
      workflow_input: '{}',
      edits: '[]',
      steps: '[]',
    })
    .execute();
  return id;
}

async function holding(userId: string, items: string[], amount = 1): Promise<string> {
  const jobId = await jobOf(userId);
  const holds = items.map((item) => ({ item, amount }));
  await inTransaction((trx) => placeHolds(trx, { userId, jobId, holds }));
  return jobId;
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `row-${index + 1}`);
const auditOf = (target: string) =>
  db
    .selectFrom('audit_log')
    .select(['action', 'detail'])
    .where('target', '=', target)
    .orderBy('created_at')
    .execute();

describe('grants', () => {
  it('give credits once a key, with one audit row', async () => {
    const user = await userWith(0);
    expect(await grant(user, 7, 'gift')).toBe(true);
    expect(await grant(user, 7, 'gift')).toBe(false);
    expect(await readBalance(db, user)).toEqual({ available: 7, held: 0 });
    expect(await auditOf(user)).toEqual([
      { action: 'credits.granted', detail: { amount: 7, reason: 'a test', key: 'gift' } },
    ]);
  });

  it('take back what is there, and no more', async () => {
    const user = await userWith(5);
    await holding(user, ['result'], 2);
    await expect(grant(user, -4)).rejects.toThrow(InsufficientCredits);
    await grant(user, -3);
    expect(await readBalance(db, user)).toEqual({ available: 0, held: 2 });
    const actions = (await auditOf(user)).map(({ action }) => action);
    expect(actions).toEqual(['credits.granted', 'credits.held', 'credits.debited']);
  });
});

describe('holds', () => {
  it('are placed once, together or not at all', async () => {
    const user = await userWith(10);
    const jobId = await holding(user, numbered(10));
    const again = await inTransaction((trx) =>
      placeHolds(trx, { userId: user, jobId, holds: numbered(10).map((item) => ({ item, amount: 1 })) }),
    );
    expect(again).toEqual({ transactions: 0, credits: 0 });
    expect(await readBalance(db, user)).toEqual({ available: 0, held: 10 });
    const other = await userWith(2);
    const refused = holding(other, numbered(3));
    await expect(refused).rejects.toMatchObject({ name: 'InsufficientCredits', available: 2, needed: 3 });
    expect(await readBalance(db, other)).toEqual({ available: 2, held: 0 });
  });

  it('of a batch with 3 of 10 failing: 7 captured, 3 released', async () => {
    const user = await userWith(10);
    const jobId = await holding(user, numbered(10));
    const delivered = numbered(7);
    for (const item of delivered) await inTransaction((trx) => captureHolds(trx, jobId, [item]));
    await inTransaction((trx) => releaseHolds(trx, jobId));
    expect(await readBalance(db, user)).toEqual({ available: 3, held: 0 });
    const job = await db.selectFrom('jobs').selectAll().where('id', '=', jobId).executeTakeFirstOrThrow();
    expect(job.credits_charged).toBe(7);
    expect(await inTransaction((trx) => captureHolds(trx, jobId, delivered))).toMatchObject({ credits: 0 });
    await expect(inTransaction((trx) => captureHolds(trx, jobId, numbered(10)))).rejects.toThrow(
      HoldReleased,
    );
    expect(await inTransaction((trx) => releaseHolds(trx, jobId))).toMatchObject({ credits: 0 });
    expect(await readBalance(db, user)).toEqual({ available: 3, held: 0 });
    // One row of the audit log for each that moved something, and none for those that did not.
    const row = (action: string, actorId: string | null, amount: number) => ({
      ...{ action, actor_id: actorId },
      detail: { jobId, amount, items: amount },
    });
    const rows = await db
      .selectFrom('audit_log')
      .select(['action', 'actor_id', 'detail'])
      .where('target', '=', user)
      .where('action', '!=', 'credits.granted')
      .orderBy('created_at')
      .execute();
    expect(rows).toEqual([
      row('credits.held', user, 10),
      ...delivered.map(() => row('credits.captured', null, 1)),
      row('credits.released', null, 3),
    ]);
  });

  it('of ten thousand recipients are placed, captured and released in a few statements', async () => {
    const user = await userWith(10_000);
    const rows = numbered(10_000);
    const jobId = await holding(user, rows);
    expect(await readBalance(db, user)).toEqual({ available: 0, held: 10_000 });
    await inTransaction((trx) => captureHolds(trx, jobId, rows.slice(0, 9_000)));
    await inTransaction((trx) => releaseHolds(trx, jobId));
    expect(await readBalance(db, user)).toEqual({ available: 1_000, held: 0 });
  });

  it('have one end, however often capture races with release', async () => {
    const races = 1_000;
    const user = await userWith(races);
    const jobId = await holding(user, numbered(races));
    let captured = 0;
    let released = 0;
    let next = 0;
    const lane = async () => {
      while (next < races) {
        next += 1;
        const item = `row-${next}`;
        const [capture, release] = await Promise.allSettled([
          inTransaction((trx) => captureHolds(trx, jobId, [item])),
          inTransaction((trx) => releaseHolds(trx, jobId, [item])),
        ]);
        if (capture.status === 'rejected') expect(capture.reason).toBeInstanceOf(HoldReleased);
        else captured += capture.value.transactions;
        expect(release.status).toBe('fulfilled');
        if (release.status === 'fulfilled') released += release.value.transactions;
      }
    };
    await Promise.all(Array.from({ length: 5 }, lane));
    expect(captured + released).toBe(races);
    expect(captured).toBeGreaterThan(0);
    expect(released).toBeGreaterThan(0);
    expect(await readBalance(db, user)).toEqual({ available: released, held: 0 });
  });

  it('of two at once for one credit: one fits', async () => {
    const user = await userWith(1);
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => holding(user, ['result'])));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await readBalance(db, user)).toEqual({ available: 0, held: 1 });
  });
});

it('a job whose hold was released by hand fails at its end, and is charged nothing', async () => {
  const user = await userWith(1);
  const jobId = await holding(user, [wholeJob]);
  await inTransaction((trx) => releaseHolds(trx, jobId));
  const progress = {
    status: 'completed' as const,
    overallProgress: 100,
    steps: [],
    weights: [],
    parallelItems: {},
  };
  const end = { status: 'completed' as const, progress, result: { bytes: 1 }, error: null, artifacts: [] };
  await recordEnd(db, { jobId, userId: user, ...end });
  const job = await db.selectFrom('jobs').selectAll().where('id', '=', jobId).executeTakeFirstOrThrow();
  expect(job).toMatchObject({ status: 'failed', result: null, credits_charged: 0, delivered_at: null });
  expect(job.error).toMatchObject({ code: 'hold_released' });
});

describe('the ledger', () => {
  const refusedBy = (work: Promise<unknown>) => expect(work).rejects.toMatchObject({ code: '23001' });

  it('refuses update, delete and truncate', async () => {
    await userWith(1);
    await refusedBy(sql`update credit_transactions set reason = 'other'`.execute(db));
    await refusedBy(sql`update credit_entries set amount = amount + 1`.execute(db));
    await refusedBy(sql`delete from credit_transactions where kind = 'purchase'`.execute(db));
    await refusedBy(sql`delete from credit_entries`.execute(db));
    await refusedBy(sql`truncate credit_entries`.execute(db));
    await refusedBy(sql`truncate credit_transactions cascade`.execute(db));
  });

  it('refuses entries that do not sum to zero, more than two, and none', async () => {
    const user = await userWith(1);
    const book = (...entries: [account: string, amount: number][]) =>
      sql`
      with added as (
        insert into credit_transactions (kind, user_id, amount) values ('grant', ${user}, 5) returning id
      )
      insert into credit_entries
      select id, account, case account when 'available' then ${user}::uuid end, amount
      from added, jsonb_to_recordset(${JSON.stringify(entries.map(([account, amount]) => ({ account, amount })))})
        as entry (account text, amount int)`.execute(db);
    const refused = { code: '23514' };
    await expect(book()).rejects.toMatchObject(refused);
    await expect(book(['issued', -5])).rejects.toMatchObject(refused);
    await expect(book(['issued', -5], ['available', 4])).rejects.toMatchObject(refused);
    await expect(book(['issued', -4], ['earned', -1], ['available', 5])).rejects.toThrow();
    const stray = sql`insert into credit_entries values (${randomUUID()}, 'earned', null, 1)`;
    await expect(stray.execute(db)).rejects.toMatchObject({ code: '23503' });
    const { id } = await db
      .selectFrom('credit_transactions')
      .select('id')
      .where('user_id', '=', user)
      .executeTakeFirstOrThrow();
    const added = sql`insert into credit_entries values (${id}, 'earned', null, 0 - 1), (${id}, 'held', ${user}, 1)`;
    await expect(added.execute(db)).rejects.toMatchObject({ code: '23505' });
  });

  it('outlives the user, whose holds are given back all the same', async () => {
    const user = await userWith(3);
    await holding(user, ['result']);
    await db.deleteFrom('users').where('id', '=', user).execute();
    expect(await releaseStrandedHolds(db, 100)).toBeGreaterThan(0);
    expect(await readBalance(db, user)).toEqual({ available: 3, held: 0 });
    const booked = await db
      .selectFrom('credit_transactions')
      .select('kind')
      .where('user_id', '=', user)
      .orderBy('created_at')
      .execute();
    expect(booked.map(({ kind }) => kind)).toEqual(['grant', 'hold', 'release']);
  });

  it('names what breaks its rules', async () => {
    const user = await userWith(3);
    await db.updateTable('credit_balances').set({ available: 4 }).where('user_id', '=', user).execute();
    expect(await checkLedger(db)).toEqual([{ rule: 'a balance is the sum of its entries', subject: user }]);
    await db.updateTable('credit_balances').set({ available: 3 }).where('user_id', '=', user).execute();
    const jobId = await holding(user, ['result']);
    const [open] = await db
      .deleteFrom('credit_open_holds')
      .where('job_id', '=', jobId)
      .returningAll()
      .execute();
    if (open === undefined) throw new Error('no hold');
    expect(await checkLedger(db)).toEqual([
      { rule: 'a hold is open until it is captured or released', subject: open.transaction_id },
    ]);
    await db.insertInto('credit_open_holds').values(open).execute();
  });

  it('holds its rules after all of this', async () => {
    expect(await checkLedger(db)).toEqual([]);
  });
});

it('holds its rules over twenty thousand random operations from eight sides', async () => {
  const own = await createTestDatabase({ poolSize: 8 });
  const seed = Date.now();
  const outcome = await runRandomLedger(own.db, { operations: 20_000, batch: 40, lanes: 8, seed });
  await own.drop();
  expect({ seed, faults: outcome.faults }).toEqual({ seed, faults: [] });
  expect(outcome.operations).toBeGreaterThanOrEqual(20_000);
  // Both kinds of refusal were met, so the limits were tried.
  expect(outcome.refused.insufficient).toBeGreaterThan(0);
  expect(outcome.refused.released).toBeGreaterThan(0);
}, 120_000);
