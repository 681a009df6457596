import { createMiddleware } from 'hono/factory';
import { createSessions } from '../auth/lucia-adapter.js';
import type { AuthenticatedUser } from '../auth/sessions.js';
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
  const session = await createSessions(db).validate(token);
  if (session === undefined) return undefined;
  return { id: session.user.id, role: session.user.role, familyId: session.familyId, row: session.user };
}

/** Lets only requests with a valid access token of an active account through. */
export function authenticate(db: Db) {
  return createMiddleware<AppEnv>(async (c, next) => {
    const user = await userOf(db, c.req.header('authorization'));
    if (user === undefined) throw new ProblemError('unauthorized');
    if (user.row.status === 'suspended') throw new ProblemError('account_suspended');
    c.set('user', user);
    await next();
  });
}
