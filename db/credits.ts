import { sql } from 'kysely';
import { logActivity, type ActivityType } from './activity-log.js';
import { writeAudit } from './audit.js';
import type { Db } from './database.js';
import { lockBalance, post, type Posted } from './ledger.js';

/**
 * Everything that moves credits. Each works in its caller's transaction, is keyed by business ids, changes nothing
 * when it is repeated, and leaves one row in the audit log when it is not.
 */

/** There are fewer credits than are needed. The transaction in which it is thrown must be rolled back. */
export class InsufficientCredits extends Error {
  constructor(
    readonly available: number,
    readonly needed: number,
  ) {
    super(`This needs ${inCredits(needed)}; available: ${available}.`);
    this.name = 'InsufficientCredits';
  }
}

export interface Grant {
  userId: string;
  /** Credits; negative takes them back, never more than are available. Not 0. */
  amount: number;
  /** One line; the user reads it in their entries. */
  reason: string;
  /** Null for the command line. */
  actorId: string | null;
  /** Of the deed, such as `admin:<request id>`: the same key grants once. */
  key: string;
}

/**
 * Gives a user credits or takes them back, with the one row of the audit log that tells of it. Answers whether
 * it took effect now: false when the key had been used.
 *
 * @throws InsufficientCredits when more would be taken than there is
 */
export async function grantCredits(trx: Db, grant: Grant): Promise<boolean> {
  if (!(await postGrant(trx, grant))) return false;
  await writeAudit(trx, {
    actorId: grant.actorId,
    action: grant.amount > 0 ? 'credits.granted' : 'credits.debited',
    target: grant.userId,
    detail: { amount: grant.amount, reason: grant.reason, key: grant.key },
  });
  return true;
}

/** What a new account begins with; the audit row of the registration tells of it. */
export async function grantSignupCredits(trx: Db, userId: string, amount: number): Promise<void> {
  if (amount === 0) return;
  const grant = { userId, amount, reason: 'credits to begin with', actorId: null, key: `signup:${userId}` };
  await postGrant(trx, grant);
}

async function postGrant(trx: Db, { userId, amount, reason, actorId, key }: Grant): Promise<boolean> {
  const { available } = await lockBalance(trx, userId);
  const { transactions } = await post(
    trx,
    'grant',
    userId,
    sql`values (${userId}::uuid, ${amount}::int, null::uuid, null, null::uuid, ${key}, ${reason}, ${actorId}::uuid)`,
  ).catch((error: unknown) => {
    throw asInsufficient(error, available, -amount);
  });
  if (transactions === 0) return false;
  const [type, verb]: [ActivityType, string] =
    amount > 0 ? ['credits_granted', 'granted'] : ['credits_debited', 'taken back'];
  await logActivity(trx, { userId, type, message: `${inCredits(Math.abs(amount))} ${verb}: ${reason}` });
  return true;
}

export interface Hold {
  /** Which of the job's products; unique within the job. */
  item: string;
  /** Credits, more than 0. */
  amount: number;
}

/**
 * Sets credits aside for what a job will deliver, one hold an item, in one statement for all of them.
 *
 * @throws InsufficientCredits when they do not fit together; then none is placed
 */
export async function placeHolds(
  trx: Db,
  { userId, jobId, holds }: { userId: string; jobId: string; holds: readonly Hold[] },
): Promise<Posted> {
  if (holds.length === 0) return { transactions: 0, credits: 0 };
  const { available } = await lockBalance(trx, userId);
  const items = holds.map(({ item }) => item);
  const amounts = holds.map(({ amount }) => amount);
  const placed = await post(
    trx,
    'hold',
    userId,
    sql`
      select ${userId}::uuid, amount, ${jobId}::uuid, item, null::uuid,
        concat('hold:', ${jobId}::text, ':', item), '', null::uuid
      from unnest(${items}::text[], ${amounts}::int[]) as wanted (item, amount)`,
    { action: 'credits.held', actorId: userId, jobId },
  ).catch((error: unknown) => {
    throw asInsufficient(
      error,
      available,
      amounts.reduce((sum, amount) => sum + amount, 0),
    );
  });
  await tell(trx, 'credits_held', { userId, jobId }, placed.credits, 'set aside');
  return placed;
}

/** A hold was to be captured that has been released: its job had ended before it delivered. */
export class HoldReleased extends Error {
  constructor(jobId: string, item: string) {
    super(`the hold of ${jobId}:${item} is released`);
    this.name = 'HoldReleased';
  }
}

/**
 * Charges what was delivered, in the transaction that delivers it, and adds it to what the job was charged.
 * An item that was captured before, or never had a hold because it is free, changes nothing.
 *
 * @throws HoldReleased when one of them was released, so that nothing is delivered that is not paid
 */
export async function captureHolds(trx: Db, jobId: string, items: readonly string[]): Promise<Posted> {
  // The job before the balance, as everywhere, so that two transactions never wait for each other.
  await trx.selectFrom('jobs').select('id').where('id', '=', jobId).forUpdate().execute();
  const captured = await settle(trx, 'capture', jobId, items);
  if (captured.transactions < items.length) await refuseReleased(trx, jobId, items);
  if (captured.credits > 0) {
    await trx
      .updateTable('jobs')
      .set((row) => ({ credits_charged: row('credits_charged', '+', captured.credits) }))
      .where('id', '=', jobId)
      .execute();
  }
  return captured;
}

/** Gives back what is still set aside for a job: all of it, or the named items. */
export function releaseHolds(trx: Db, jobId: string, items?: readonly string[]): Promise<Posted> {
  return settle(trx, 'release', jobId, items);
}

async function settle(
  trx: Db,
  kind: 'capture' | 'release',
  jobId: string,
  items: readonly string[] | undefined,
): Promise<Posted> {
  const open = await trx
    .selectFrom('credit_open_holds')
    .select('user_id')
    .where('job_id', '=', jobId)
    .limit(1)
    .executeTakeFirst();
  if (open === undefined) return { transactions: 0, credits: 0 };
  const userId = open.user_id;
  await lockBalance(trx, userId);
  const [type, verb]: [ActivityType, string] =
    kind === 'capture' ? ['credits_captured', 'spent'] : ['credits_released', 'given back'];
  const named = items === undefined ? sql`true` : sql`item = any(${[...items]}::text[])`;
  const settled = await post(
    trx,
    kind,
    userId,
    sql`
      delete from credit_open_holds where job_id = ${jobId} and ${named}
      returning user_id, amount, job_id, item, transaction_id, null, '', null::uuid`,
    { action: kind === 'capture' ? 'credits.captured' : 'credits.released', actorId: null, jobId },
  );
  await tell(trx, type, { userId, jobId }, settled.credits, verb);
  return settled;
}

async function refuseReleased(trx: Db, jobId: string, items: readonly string[]): Promise<void> {
  const released = await trx
    .selectFrom('credit_transactions as hold')
    .innerJoin('credit_transactions as end', 'end.settles', 'hold.id')
    .select('hold.item')
    .where(
      'hold.key',
      'in',
      items.map((item) => `hold:${jobId}:${item}`),
    )
    .where('end.kind', '=', 'release')
    .limit(1)
    .executeTakeFirst();
  if (released !== undefined) throw new HoldReleased(jobId, String(released.item));
}

async function tell(
  trx: Db,
  type: ActivityType,
  of: { userId: string; jobId: string },
  credits: number,
  verb: string,
): Promise<void> {
  if (credits === 0) return;
  await logActivity(trx, { ...of, type, message: `${inCredits(credits)} ${verb}` });
}

function asInsufficient(error: unknown, available: number, needed: number): unknown {
  const isBelowZero =
    error instanceof Error && 'constraint' in error && error.constraint === 'credit_balances_available_check';
  return isBelowZero ? new InsufficientCredits(available, needed) : error;
}

/** As in `1 credit`, `2 credits`. */
export function inCredits(credits: number): string {
  return credits === 1 ? '1 credit' : `${credits} credits`;
}
