import { createRoute, z } from '@hono/zod-openapi';
import { writeAudit } from '../../db/audit.js';
import { grantSignupCredits } from '../../db/credits.js';
import type { Db } from '../../db/database.js';
import { deleteFamily } from '../../db/sessions.js';
import { findUserByEmail, insertUser, shareUser, type UserRow } from '../../db/users.js';
import { admitLogin, loginSucceeded } from '../auth/login-limit.js';
import { hashPassword, newPassword as password, triedPassword, verifyPassword } from '../auth/passwords.js';
import { issueTokenPair, refreshTokenPair, type TokenPair } from '../auth/token-pairs.js';
import { clientAddress } from '../client-address.js';
import type { RouteDeps } from '../context.js';
import { ProblemError } from '../errors.js';
import { requireSession } from '../middleware/authorize.js';
import {
  bearer,
  bodyProblems,
  createRouter,
  jsonAnswer,
  jsonBody,
  problems,
  type Router,
} from '../router.js';
import { userBody, userSchema } from '../user-resource.js';
import { userText } from '../validation.js';

const email = z
  .string()
  .trim()
  .toLowerCase()
  .max(254)
  .pipe(z.email())
  .openapi({ type: 'string', format: 'email', example: 'ada@example.com' });

const pairSchema = z
  .object({
    user: userSchema,
    accessToken: z.string(),
    refreshToken: z.string(),
    expiresIn: z.int().openapi({ description: 'Seconds for which the access token is good.' }),
  })
  .openapi('TokenPair');

const register = createRoute({
  method: 'post',
  path: '/register',
  tags: ['Auth'],
  summary: 'Make an account',
  security: [],
  request: { body: jsonBody(z.strictObject({ email, password, name: userText(100).optional() })) },
  responses: {
    201: jsonAnswer('The account and its first tokens', pairSchema),
    ...bodyProblems,
    ...problems(409),
  },
});

const login = createRoute({
  method: 'post',
  path: '/login',
  tags: ['Auth'],
  summary: 'Log in',
  security: [],
  request: { body: jsonBody(z.strictObject({ email, password: triedPassword })) },
  description: 'After five refused tries within a minute, of one account or from one address, 429.',
  responses: { 200: jsonAnswer('A pair of tokens', pairSchema), ...bodyProblems, ...problems(403, 429) },
});

const refresh = createRoute({
  method: 'post',
  path: '/refresh',
  tags: ['Auth'],
  summary: 'Spend a refresh token for a new pair',
  description: 'A token that was spent before ends the whole login.',
  security: [],
  request: { body: jsonBody(z.strictObject({ refreshToken: z.string().min(1).max(200) })) },
  responses: { 200: jsonAnswer('A new pair', pairSchema), ...bodyProblems, ...problems(403) },
});

const logout = createRoute({
  method: 'post',
  path: '/logout',
  tags: ['Auth'],
  summary: 'End this login',
  security: bearer,
  middleware: requireSession,
  responses: { 204: { description: 'Logged out' }, ...problems(401, 403) },
});

/** The calls that need no token. */
export function publicAuthRoutes({ db, signupCredits, trustedProxies = 0 }: RouteDeps): Router {
  return createRouter()
    .openapi(register, async (c) => {
      const body = c.req.valid('json');
      const passwordHash = await hashPassword(body.password);
      const pair = await db.transaction().execute(async (trx) => {
        const user = await insertUser(trx, { email: body.email, passwordHash, name: body.name ?? null });
        if (user === undefined) throw new ProblemError('email_taken');
        await writeAudit(trx, { actorId: user.id, action: 'auth.registered', target: user.id });
        await grantSignupCredits(trx, user.id, signupCredits);
        return toPair(trx, user, await issueTokenPair(trx, user.id));
      });
      return c.json(pair, 201);
    })
    .openapi(login, async (c) => {
      const body = c.req.valid('json');
      const from = { email: body.email, address: clientAddress(c, trustedProxies) };
      await admitLogin(db, from);
      const user = await findUserByEmail(db, body.email);
      const matches = await verifyPassword(user?.password_hash, body.password);
      if (user === undefined || !matches) {
        await writeAudit(db, { actorId: null, action: 'auth.login_refused', target: user?.id ?? null });
        throw new ProblemError('invalid_credentials');
      }
      await loginSucceeded(db, from);
      const outcome = await db.transaction().execute(async (trx) => {
        const refusal = await refusalOf(trx, user);
        await writeAudit(trx, {
          actorId: refusal === undefined ? user.id : null,
          action: refusal === undefined ? 'auth.logged_in' : 'auth.login_refused',
          target: user.id,
        });
        return refusal ?? toPair(trx, user, await issueTokenPair(trx, user.id));
      });
      if (typeof outcome === 'string') throw new ProblemError(outcome);
      return c.json(outcome, 200);
    })
    .openapi(refresh, async (c) => {
      const outcome = await refreshTokenPair(db, c.req.valid('json').refreshToken);
      if (outcome.kind === 'suspended') throw new ProblemError('account_suspended');
      if (outcome.kind === 'refused') throw new ProblemError('invalid_refresh_token');
      return c.json(await toPair(db, outcome.user, outcome.pair), 200);
    });
}

export function logoutRoutes({ db }: RouteDeps): Router {
  return createRouter().openapi(logout, async (c) => {
    const { familyId, user } = c.var;
    await db.transaction().execute(async (trx) => {
      await deleteFamily(trx, familyId);
      await writeAudit(trx, { actorId: user.id, action: 'auth.logged_out', target: familyId });
    });
    return c.body(null, 204);
  });
}

/** Looks again, because checking a password takes long enough for the account to be changed meanwhile. */
async function refusalOf(
  trx: Db,
  checked: UserRow,
): Promise<'invalid_credentials' | 'account_suspended' | undefined> {
  const current = await shareUser(trx, checked.id);
  if (current?.password_hash !== checked.password_hash) return 'invalid_credentials';
  return current.status === 'suspended' ? 'account_suspended' : undefined;
}

async function toPair(db: Db, user: UserRow, pair: TokenPair) {
  return { user: await userBody(db, user), ...pair };
}
