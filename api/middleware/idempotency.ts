import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Db } from '../../db/database.js';
import { claimKey, completeKey, findKey, releaseKey } from '../../db/idempotency.js';
import type { AppEnv } from '../context.js';
import { ProblemError } from '../errors.js';
import { refuseField } from '../validation.js';

/** The right to do what a key stands for, once. */
export interface IdempotencyClaim {
  /** Keeps the answer; call it in the transaction of the effect. @throws ProblemError when the claim is lost. */
  complete(trx: Db, status: number, body: unknown): Promise<void>;
}

/** What was answered to the first request of a key. */
export interface KeptAnswer {
  status: ContentfulStatusCode;
  body: unknown;
}

const keyFormat = /^[\x21-\x7e]{1,255}$/;

/**
 * For routes that start work. The first request with an `Idempotency-Key` is done and its answer kept; the
 * same request again gets that answer. A request that is refused or fails leaves the key free. A body with files is
 * the handler's to receive, and so it calls {@link oncePerKey} itself.
 */
export function idempotent(db: Db) {
  return createMiddleware<AppEnv>(async (c, next) => {
    if (c.req.header('idempotency-key') === undefined || isForm(c)) return next();
    const kept = await oncePerKey(db, c, await c.req.text(), next);
    return kept && c.json(kept.body, kept.status);
  });
}

export function isForm(c: Context<AppEnv>): boolean {
  return /^multipart\/form-data\b/i.test(c.req.header('content-type') ?? '');
}

/**
 * Does `work` once for the request's `Idempotency-Key`, or without one just so. Answers with the kept answer where there is
 * one, and with nothing when `work` was done.
 *
 * @param body what the request says, as JSON or any text that is the same for the same request.
 * @throws ProblemError `idempotency_in_flight`, `idempotency_key_reused`, and what `work` throws
 */
export async function oncePerKey(
  db: Db,
  c: Context<AppEnv>,
  body: string,
  work: () => Promise<void>,
): Promise<KeptAnswer | undefined> {
  const key = c.req.header('idempotency-key');
  if (key === undefined) {
    await work();
    return undefined;
  }
  if (!keyFormat.test(key)) {
    throw refuseField('header.Idempotency-Key', 'must be 1 to 255 visible ASCII characters');
  }
  const userId = c.var.user.id;
  const requestHash = hashRequest(c.req.method, c.req.path, body);
  const claimedAt = await claimKey(db, userId, key, requestHash);
  if (claimedAt === undefined) {
    const record = await findKey(db, userId, key);
    if (record === undefined) throw inFlight();
    if (record.requestHash !== requestHash) throw new ProblemError('idempotency_key_reused');
    if (record.response === null) throw inFlight();
    c.header('idempotency-replayed', 'true');
    return { body: record.response.body, status: record.response.status as ContentfulStatusCode };
  }

  const claim = { userId, key, claimedAt };
  const kept = { isDone: false };
  c.set('idempotency', {
    async complete(trx, status, answer) {
      if (!(await completeKey(trx, claim, { status, body: answer }))) throw inFlight();
      kept.isDone = true;
    },
  });
  try {
    await work();
  } catch (error) {
    await releaseKey(db, claim);
    throw error;
  }
  // A transaction that was rolled back has left the record open, and releasing it does no harm otherwise.
  if (!kept.isDone || c.error !== undefined) await releaseKey(db, claim);
  return undefined;
}

function inFlight(): ProblemError {
  return new ProblemError('idempotency_in_flight', { headers: { 'retry-after': '1' } });
}

/** JSON counts by content: key order and spaces do not matter. */
function hashRequest(method: string, path: string, body: string): string {
  let canonical = body;
  try {
    canonical = JSON.stringify(JSON.parse(body), sortKeys);
  } catch {
    // Not JSON: the validation behind this refuses it, or there is no body.
  }
  return createHash('sha256').update(`${method} ${path}\n${canonical}`).digest('hex');
}

function sortKeys(_key: string, member: unknown): unknown {
  if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
  return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)));
}
