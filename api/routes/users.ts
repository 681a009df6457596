import { createRoute, z } from '@hono/zod-openapi';
import { writeAudit } from '../../db/audit.js';
import { deleteOtherSessions } from '../../db/sessions.js';
import { replacePassword, updateUserNames } from '../../db/users.js';
import { admitLogin, loginSucceeded } from '../auth/login-limit.js';
import { hashPassword, newPassword, triedPassword, verifyPassword } from '../auth/passwords.js';
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

const name = userText(100).nullable().optional();

const namesSchema = z
  .strictObject({ name, firstName: name, lastName: name })
  .refine((names) => Object.keys(names).length > 0, 'needs at least one change')
  .openapi({ minProperties: 1 });

const read = createRoute({
  method: 'get',
  path: '/users/me',
  tags: ['Users'],
  summary: 'Who I am',
  security: bearer,
  responses: { 200: jsonAnswer('The profile', userSchema), ...problems(401) },
});

const change = createRoute({
  method: 'put',
  path: '/users/me',
  tags: ['Users'],
  summary: 'Change my names',
  security: bearer,
  request: { body: jsonBody(namesSchema) },
  responses: { 200: jsonAnswer('The profile', userSchema), ...bodyProblems },
});

const changePassword = createRoute({
  method: 'post',
  path: '/users/me/password',
  tags: ['Users'],
  summary: 'Change my password',
  description:
    'Every other login ends at once; this one and the API keys go on. A wrong current password is answered as at the login, 401 `invalid_credentials`, and counts as a try there.',
  security: bearer,
  middleware: requireSession,
  request: { body: jsonBody(z.strictObject({ currentPassword: triedPassword, newPassword })) },
  responses: { 204: { description: 'Changed' }, ...bodyProblems, ...problems(403, 429) },
});

export function userRoutes({ db, trustedProxies = 0 }: RouteDeps): Router {
  return createRouter()
    .openapi(read, async (c) => c.json(await userBody(db, c.var.user.row), 200))
    .openapi(change, async (c) => {
      const row = await updateUserNames(db, c.var.user.id, c.req.valid('json'));
      if (row === undefined) throw new ProblemError('unauthorized');
      return c.json(await userBody(db, row), 200);
    })
    .openapi(changePassword, async (c) => {
      const { row: user } = c.var.user;
      const body = c.req.valid('json');
      const from = { email: user.email, address: clientAddress(c, trustedProxies) };
      await admitLogin(db, from);
      const isKnown = await verifyPassword(user.password_hash, body.currentPassword);
      const to = isKnown ? await hashPassword(body.newPassword) : undefined;
      const isChanged = await db.transaction().execute(async (trx) => {
        const replaced =
          to !== undefined && (await replacePassword(trx, user.id, { from: user.password_hash, to }));
        if (replaced) await deleteOtherSessions(trx, user.id, c.var.familyId);
        await writeAudit(trx, {
          actorId: user.id,
          action: replaced ? 'auth.password_changed' : 'auth.password_refused',
          target: user.id,
        });
        return replaced;
      });
      if (!isChanged) {
        throw new ProblemError('invalid_credentials', {
          detail: 'The current password is wrong.',
          errors: [{ path: 'body.currentPassword', message: 'is wrong' }],
        });
      }
      await loginSucceeded(db, from);
      return c.body(null, 204);
    });
}
