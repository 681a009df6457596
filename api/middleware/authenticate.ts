import { createMiddleware } from 'hono/factory';
import { isApiKey } from '../auth/api-keys.js';
import { createSessions } from '../auth/lucia-adapter.js';
import type { AuthenticatedUser } from '../auth/sessions.js';
import { hashToken } from '../auth/tokens.js';
import { useApiKey } from '../../db/api-keys.js';
import type { Db } from '../../db/database.js';
import type { AppEnv } from '../context.js';
import { ProblemError } from '../errors.js';

const bearerHeader = /^Bearer ([A-Za-z0-9._~+/-]{1,200})$/i;

/** The user behind an `Authorization` header, or undefined. */
export async function userOf(
  db: Db,
  authorization: string | undefined,
): Promise<AuthenticatedUser | undefined> {
  const token = bearerHeader.exec(authorization ?? '')?.[1];
  if (token === undefined) return undefined;
  const found = isApiKey(token) ? await ofApiKey(db, token) : await ofSession(db, token);
  if (found === undefined) return undefined;
  const { row, credential } = found;
  return { id: row.id, role: row.role, credential, row };
}

type Found = Pick<AuthenticatedUser, 'row' | 'credential'>;

async function ofSession(db: Db, token: string): Promise<Found | undefined> {
  const session = await createSessions(db).validate(token);
  return session && { row: session.user, credential: { kind: 'session', familyId: session.familyId } };
}

async function ofApiKey(db: Db, key: string): Promise<Found | undefined> {
  const found = await useApiKey(db, hashToken(key));
  return found && { row: found.user, credential: { kind: 'api_key', id: found.id } };
}

/** Lets only requests with a valid access token or API key of an active account through. */
export function authenticate(db: Db) {
  return createMiddleware<AppEnv>(async (c, next) => {
    const user = await userOf(db, c.req.header('authorization'));
    if (user === undefined) throw new ProblemError('unauthorized');
    if (user.row.status === 'suspended') throw new ProblemError('account_suspended');
    c.set('user', user);
    await next();
  });
}
