import { sql } from 'kysely';
import type { Db } from './database.js';

export interface IdempotencyRecord {
  requestHash: string;
  /** Null while the first request is in flight. */
  response: { status: number; body: unknown } | null;
}

/**
 * Takes the key for a request. Answers with the claim's own time, which proves it later, or undefined when the
 * key is taken. Keys are free again after 24 h, and after 60 s when the request that took it never ended (its
 * process died): an effect and its record are one transaction, so then nothing came of it.
 */
export async function claimKey(
  db: Db,
  userId: string,
  key: string,
  requestHash: string,
): Promise<string | undefined> {
  const { rows } = await sql<{ claimed_at: string }>`
    insert into idempotency_keys as k (user_id, key, request_hash, created_at)
    values (${userId}, ${key}, ${requestHash}, clock_timestamp())
    on conflict (user_id, key) do update
      set request_hash = excluded.request_hash, response_status = null, response_body = null,
          created_at = excluded.created_at
      where k.created_at < now() - interval '24 hours'
         or (k.response_status is null and k.created_at < now() - interval '60 seconds')
    returning created_at::text as claimed_at`.execute(db);
  return rows[0]?.claimed_at;
}

export async function findKey(db: Db, userId: string, key: string): Promise<IdempotencyRecord | undefined> {
  const row = await db
    .selectFrom('idempotency_keys')
    .selectAll()
    .where('user_id', '=', userId)
    .where('key', '=', key)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  return {
    requestHash: row.request_hash,
    response: row.response_status === null ? null : { status: row.response_status, body: row.response_body },
  };
}

/** Keeps the answer, in the transaction of its effect. False when another request took the claim over. */
export async function completeKey(
  trx: Db,
  claim: { userId: string; key: string; claimedAt: string },
  response: { status: number; body: unknown },
): Promise<boolean> {
  const rows = await trx
    .updateTable('idempotency_keys')
    .set({ response_status: response.status, response_body: JSON.stringify(response.body) })
    .where('user_id', '=', claim.userId)
    .where('key', '=', claim.key)
    .where(sql<boolean>`created_at = ${claim.claimedAt}::timestamptz`)
    .where('response_status', 'is', null)
    .returning('key')
    .execute();
  return rows.length > 0;
}

/** Gives an unused claim back, because the request was refused or failed. */
export async function releaseKey(
  db: Db,
  claim: { userId: string; key: string; claimedAt: string },
): Promise<void> {
  await db
    .deleteFrom('idempotency_keys')
    .where('user_id', '=', claim.userId)
    .where('key', '=', claim.key)
    .where(sql<boolean>`created_at = ${claim.claimedAt}::timestamptz`)
    .where('response_status', 'is', null)
    .execute();
}

export async function deleteOldKeys(db: Db): Promise<void> {
  await db
    .deleteFrom('idempotency_keys')
    .where(sql<boolean>`created_at < now() - interval '24 hours'`)
    .execute();
}
