import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { seededRandom, type SeededRandom } from '../../activities/media/pictures/random.js';
import {
  captureHolds,
  grantCredits,
  HoldReleased,
  InsufficientCredits,
  placeHolds,
  releaseHolds,
} from '../../db/credits.js';
import type { Db } from '../../db/database.js';
import { checkLedger, type LedgerFault } from '../../db/ledger-check.js';

export interface RandomLedgerOptions {
  /** Grants, holds, captures and releases to be tried in all; a batch counts each of its items. */
  operations: number;
  /** Most items of one job. */
  batch: number;
  /** Transactions at once. */
  lanes: number;
  seed: number;
}

export interface RandomLedgerOutcome {
  operations: number;
  transactions: number;
  /** Of those: refused for too few credits, and captures that came after a release. */
  refused: { insufficient: number; released: number };
  faults: LedgerFault[];
}

interface OpenJob {
  id: string;
  userId: string;
  items: string[];
}

/**
 * Does a random mix on shared users and jobs from several lanes at once, so that captures race with releases and
 * holds with one another, repeats some of it, and then checks the books: by their own rules, against what was
 * granted and what the calls answered, and job by job.
 */
export async function runRandomLedger(db: Db, options: RandomLedgerOptions): Promise<RandomLedgerOutcome> {
  const users = await Promise.all(Array.from({ length: 20 }, () => insertUser(db)));
  const jobs: OpenJob[] = [];
  const answered = { granted: 0, held: 0, captured: 0, released: 0 };
  const refused = { insufficient: 0, released: 0 };
  let operations = 0;
  let transactions = 0;

  async function attempt(size: number, work: (trx: Db) => Promise<void>): Promise<void> {
    operations += size;
    transactions += 1;
    await db
      .transaction()
      .execute(work)
      .catch((error: unknown) => {
        if (error instanceof InsufficientCredits) refused.insufficient += 1;
        else if (error instanceof HoldReleased) refused.released += 1;
        else throw error;
      });
  }

  async function grant(random: SeededRandom): Promise<void> {
    const amount = Math.round(random.between(-options.batch, options.batch * 3)) || 1;
    const deed = {
      userId: pick(random, users),
      amount,
      reason: 'at random',
      actorId: null,
      key: randomUUID(),
    };
    let granted = 0;
    await attempt(1, async (trx) => {
      granted = (await grantCredits(trx, deed)) ? amount : 0;
    });
    answered.granted += granted;
    if (granted === 0) return;
    await attempt(1, async (trx) => {
      if (await grantCredits(trx, deed)) throw new Error('a key granted twice');
    });
  }

  async function hold(random: SeededRandom): Promise<void> {
    const job = {
      id: randomUUID(),
      userId: pick(random, users),
      items: Array.from({ length: Math.ceil(random.between(0, options.batch)) }, (_, index) => String(index)),
    };
    let placed = 0;
    await attempt(job.items.length, async (trx) => {
      await insertJob(trx, job);
      const holds = job.items.map((item) => ({ item, amount: 1 }));
      placed = (await placeHolds(trx, { userId: job.userId, jobId: job.id, holds })).credits;
    });
    answered.held += placed;
    if (placed > 0) jobs.push(job);
  }

  async function settle(random: SeededRandom): Promise<void> {
    const job = pick(random, jobs);
    const from = Math.floor(random.between(0, job.items.length));
    const items = job.items.slice(from, from + Math.ceil(random.between(0, options.batch)));
    let captured = 0;
    let released = 0;
    if (random.between(0, 1) < 0.6) {
      await attempt(items.length, async (trx) => {
        captured = (await captureHolds(trx, job.id, items)).credits;
      });
    } else {
      await attempt(items.length, async (trx) => {
        released = (await releaseHolds(trx, job.id, random.between(0, 1) < 0.3 ? undefined : items)).credits;
      });
    }
    answered.captured += captured;
    answered.released += released;
    // The newest are worked on, so that most jobs are settled more than once and some stay open.
    if (jobs.length > 40) jobs.shift();
  }

  await Promise.all(
    Array.from({ length: options.lanes }, async (_, lane) => {
      const random = seededRandom(options.seed, lane);
      while (operations < options.operations) {
        const draw = random.between(0, 1);
        if (draw < 0.1) await grant(random);
        else if (draw < 0.4 || jobs.length === 0) await hold(random);
        else await settle(random);
      }
    }),
  );
  const faults = [...(await checkLedger(db)), ...(await compare(db, answered))];
  return { operations, transactions, refused, faults };
}

async function compare(
  db: Db,
  answered: { granted: number; held: number; captured: number; released: number },
): Promise<LedgerFault[]> {
  const { rows } = await sql<{ rule: string; booked: number | null; answered: number }>`
    select 'granted' as rule, -sum(amount)::int as booked, ${answered.granted}::int as answered
      from credit_entries where account = 'issued'
    union all select 'captured', sum(amount)::int, ${answered.captured}::int
      from credit_entries where account = 'earned'
    union all select 'charged to jobs', sum(credits_charged)::int, ${answered.captured}::int from jobs
    union all select 'held', sum(held)::int, ${answered.held - answered.captured - answered.released}::int
      from credit_balances
    union all select 'open', coalesce(sum(amount), 0)::int,
        ${answered.held - answered.captured - answered.released}::int
      from credit_open_holds
    union all select 'available', sum(available)::int,
        ${answered.granted - answered.held + answered.released}::int
      from credit_balances
    union all select 'audited as held', ${audited('credits.held')}, ${answered.held}::int
    union all select 'audited as captured', ${audited('credits.captured')}, ${answered.captured}::int
    union all select 'audited as released', ${audited('credits.released')}, ${answered.released}::int`.execute(
    db,
  );
  return rows
    .filter((row) => (row.booked ?? 0) !== row.answered)
    .map((row) => ({ rule: `what is ${row.rule} is what was answered`, subject: JSON.stringify(row) }));
}

const audited = (action: string) =>
  sql`(select sum((detail ->> 'amount')::int)::int from audit_log where action = ${action})`;

async function insertUser(db: Db): Promise<string> {
  const email = `${randomUUID()}@example.org`;
  const { id } = await db
    .insertInto('users')
    .values({ email, password_hash: 'x' })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

async function insertJob(trx: Db, { id, userId }: OpenJob): Promise<void> {
  await trx
    .insertInto('jobs')
    .values({
      id,
      user_id: userId,
      type: 'personalized',
      parameters: '{}',
      workflow_input: '{}',
      edits: '[]',
      steps: '[]',
    })
    .execute();
}

function pick<T>(random: SeededRandom, [first, ...rest]: readonly T[]): T {
  if (first === undefined) throw new Error('nothing to choose from');
  return random.pick([first, ...rest]);
}
