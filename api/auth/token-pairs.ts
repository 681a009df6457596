import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeAudit } from '../../db/audit.js';
import type { Db } from '../../db/database.js';
import {
  deleteFamily,
  insertRefreshToken,
  lockRefreshToken,
  readClock,
  spendRefreshToken,
} from '../../db/sessions.js';
import type { UserRow } from '../../db/users.js';
import { accessSeconds, createSessions } from './lucia-adapter.js';
import { hashToken, newToken } from './tokens.js';

const refreshMs = 7 * 24 * 3600 * 1000;

/** Each refresh waits so long before it spends its token, so that those that were sent with it have come. */
const gatherMs = 150;

export interface TokenPair {
  accessToken: string;
  refreshToken: string;
  /** Seconds for which the access token is good. */
  expiresIn: number;
}

export type RefreshOutcome =
  { kind: 'refreshed'; user: UserRow; pair: TokenPair } | { kind: 'refused' } | { kind: 'suspended' };

/** A new pair; without `familyId` it starts a login of its own. */
export async function issueTokenPair(
  db: Db,
  userId: string,
  familyId: string = randomUUID(),
): Promise<TokenPair> {
  const refreshToken = newToken();
  const accessToken = await createSessions(db).create(userId, familyId);
  await insertRefreshToken(db, hashToken(refreshToken), {
    userId,
    familyId,
    expiresAt: new Date(Date.now() + refreshMs),
  });
  return { accessToken, refreshToken, expiresIn: accessSeconds };
}

/**
 * Spends a refresh token. A client that refreshes from several tabs at once sends the same token more than once:
 * whoever asked before the token was spent gets a pair too. Who asks with it later had the answer, or stole
 * the token: its whole family ends, and the log says so.
 */
export async function refreshTokenPair(db: Db, refreshToken: string): Promise<RefreshOutcome> {
  const tokenHash = hashToken(refreshToken);
  const askedAt = await clockBefore(db);
  await sleep(gatherMs);
  return db.transaction().execute(async (trx): Promise<RefreshOutcome> => {
    const found = await lockRefreshToken(trx, tokenHash);
    if (found === undefined || found.token.expires_at <= askedAt) return { kind: 'refused' };
    const { token, user } = found;
    if (token.spent_at !== null && token.spent_at < askedAt) {
      await deleteFamily(trx, token.family_id);
      await writeAudit(trx, {
        actorId: token.user_id,
        action: 'auth.refresh_token_reused',
        target: token.family_id,
      });
      return { kind: 'refused' };
    }
    if (user.status === 'suspended') return { kind: 'suspended' };
    const pair = await issueTokenPair(trx, user.id, token.family_id);
    await writeAudit(trx, { actorId: user.id, action: 'auth.refreshed', target: token.family_id });
    // Last, so that it is the time of the answer.
    if (token.spent_at === null) await spendRefreshToken(trx, tokenHash);
    return { kind: 'refreshed', user, pair };
  });
}

/**
 * When it was called, by the database's clock: those of two hosts may be further apart than two requests. What the
 * question itself took is not counted, so that a busy database makes no client late.
 */
async function clockBefore(db: Db): Promise<Date> {
  const calledAt = performance.now();
  const now = await readClock(db);
  return new Date(now.getTime() - (performance.now() - calledAt));
}
