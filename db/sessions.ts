import { sql, type Selectable } from 'kysely';
import type { Db } from './database.js';
import type { RefreshTokensTable } from './schema.js';
import { shareUser, type UserRow } from './users.js';

export interface SessionRow {
  userId: string;
  familyId: string;
  expiresAt: Date;
}

/** Hashes are sha256 in hex; the tokens themselves never reach the database. */
export async function insertSession(db: Db, tokenHash: string, session: SessionRow): Promise<void> {
  await db.insertInto('sessions').values(toRow(tokenHash, session)).execute();
}

function toRow(tokenHash: string, { userId, familyId, expiresAt }: SessionRow) {
  return { token_hash: tokenHash, user_id: userId, family_id: familyId, expires_at: expiresAt };
}

export async function findSessionWithUser(
  db: Db,
  tokenHash: string,
): Promise<{ session: SessionRow; user: UserRow } | undefined> {
  const row = await db
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .selectAll('users')
    .select(['sessions.family_id', 'sessions.expires_at'])
    .where('sessions.token_hash', '=', tokenHash)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { family_id, expires_at, ...user } = row;
  return { session: { userId: user.id, familyId: family_id, expiresAt: expires_at }, user };
}

export async function listSessions(db: Db, userId: string): Promise<(SessionRow & { tokenHash: string })[]> {
  const rows = await db.selectFrom('sessions').selectAll().where('user_id', '=', userId).execute();
  return rows.map((row) => ({
    tokenHash: row.token_hash,
    userId: row.user_id,
    familyId: row.family_id,
    expiresAt: row.expires_at,
  }));
}

export async function deleteSession(db: Db, tokenHash: string): Promise<void> {
  await db.deleteFrom('sessions').where('token_hash', '=', tokenHash).execute();
}

export async function deleteUserSessions(db: Db, userId: string): Promise<void> {
  await db.deleteFrom('sessions').where('user_id', '=', userId).execute();
  await db.deleteFrom('refresh_tokens').where('user_id', '=', userId).execute();
}

/** Ends every login of the user but the one that is named. */
export async function deleteOtherSessions(trx: Db, userId: string, familyId: string): Promise<void> {
  for (const table of ['sessions', 'refresh_tokens'] as const) {
    await trx.deleteFrom(table).where('user_id', '=', userId).where('family_id', '!=', familyId).execute();
  }
}

/** Ends everything that came from one login; in a transaction. */
export async function deleteFamily(trx: Db, familyId: string): Promise<void> {
  await lockFamily(trx, familyId);
  await trx.deleteFrom('refresh_tokens').where('family_id', '=', familyId).execute();
  await trx.deleteFrom('sessions').where('family_id', '=', familyId).execute();
}

export async function deleteExpiredSessions(db: Db): Promise<void> {
  await db.deleteFrom('sessions').where('expires_at', '<=', new Date()).execute();
  await db.deleteFrom('refresh_tokens').where('expires_at', '<=', new Date()).execute();
}

export type RefreshTokenRow = Selectable<RefreshTokensTable>;

export async function insertRefreshToken(db: Db, tokenHash: string, session: SessionRow): Promise<void> {
  await db.insertInto('refresh_tokens').values(toRow(tokenHash, session)).execute();
}

/**
 * The token's row and its user's, with the whole family locked until the transaction ends: one token is spent
 * once, and nothing is added to a family while it is revoked. Nor is the user changed meanwhile, so that a
 * suspension or a new password ends either the old pair or the new one.
 */
export async function lockRefreshToken(
  trx: Db,
  tokenHash: string,
): Promise<{ token: RefreshTokenRow; user: UserRow } | undefined> {
  const found = trx.selectFrom('refresh_tokens').selectAll().where('token_hash', '=', tokenHash);
  const seen = await found.executeTakeFirst();
  if (seen === undefined) return undefined;
  await lockFamily(trx, seen.family_id);
  const user = await shareUser(trx, seen.user_id);
  const token = await found.executeTakeFirst();
  return user && token && { token, user };
}

async function lockFamily(trx: Db, familyId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${familyId}, 0))`.execute(trx);
}

/** The time by which tokens are spent. */
export async function readClock(db: Db): Promise<Date> {
  const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error('the database told no time');
  return row.now;
}

export async function spendRefreshToken(trx: Db, tokenHash: string): Promise<void> {
  await trx
    .updateTable('refresh_tokens')
    .set({ spent_at: sql<Date>`clock_timestamp()` })
    .where('token_hash', '=', tokenHash)
    .execute();
}
