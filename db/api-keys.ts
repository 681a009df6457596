import { sql, type Selectable } from 'kysely';
import type { Db } from './database.js';
import { cursorAt, isBehind, type Position } from './pages.js';
import type { ApiKeysTable } from './schema.js';
import type { UserRow } from './users.js';

export type ApiKeyRow = Selectable<ApiKeysTable>;

interface NewApiKey {
  userId: string;
  name: string;
  /** How the key begins; shown in lists. */
  prefix: string;
  /** sha256 of the key, hex; the key itself never reaches the database. */
  keyHash: string;
  expiresAt: Date | null;
}

export function insertApiKey(db: Db, key: NewApiKey): Promise<ApiKeyRow> {
  return db
    .insertInto('api_keys')
    .values({
      user_id: key.userId,
      name: key.name,
      prefix: key.prefix,
      key_hash: key.keyHash,
      expires_at: key.expiresAt,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

export async function countApiKeys(db: Db, userId: string): Promise<number> {
  const row = await db
    .selectFrom('api_keys')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** Newest first, one row more than `limit` when there is more. */
export function listApiKeys(
  db: Db,
  userId: string,
  { after, limit }: { after: Position | undefined; limit: number },
): Promise<(ApiKeyRow & { cursorAt: string })[]> {
  let query = db
    .selectFrom('api_keys')
    .selectAll()
    .select(cursorAt('api_keys'))
    .where('user_id', '=', userId)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1);
  if (after !== undefined) query = query.where(isBehind('api_keys', after));
  return query.execute();
}

/** Undefined when the user has no such key. */
export function deleteApiKey(db: Db, userId: string, id: string): Promise<ApiKeyRow | undefined> {
  return db
    .deleteFrom('api_keys')
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .returningAll()
    .executeTakeFirst();
}

/** Whose key it is, unless it has expired. Notes its use, once a minute at most, so that reads stay reads. */
export async function useApiKey(db: Db, keyHash: string): Promise<{ id: string; user: UserRow } | undefined> {
  const row = await db
    .selectFrom('api_keys')
    .innerJoin('users', 'users.id', 'api_keys.user_id')
    .selectAll('users')
    .select(['api_keys.id as keyId', isIdle.as('isIdle')])
    .where('api_keys.key_hash', '=', keyHash)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', sql<Date>`now()`)]))
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { keyId, isIdle: mustNote, ...user } = row;
  if (mustNote) {
    await db
      .updateTable('api_keys')
      .set({ last_used_at: sql<Date>`now()` })
      .where('id', '=', keyId)
      .where(isIdle)
      .execute();
  }
  return { id: keyId, user };
}

const isIdle = sql<boolean>`(api_keys.last_used_at is null or api_keys.last_used_at < now() - interval '1 minute')`;
