import { randomUUID } from 'node:crypto';
import { createRoute, z } from '@hono/zod-openapi';
import { listUsers, lockActorAndTarget, setUserStatus } from '../../db/admin.js';
import { writeAudit } from '../../db/audit.js';
import { grantCredits, InsufficientCredits } from '../../db/credits.js';
import type { Db } from '../../db/database.js';
import { readBalance } from '../../db/ledger.js';
import { deleteUserSessions } from '../../db/sessions.js';
import type { UserRow } from '../../db/users.js';
import type { RouteDeps } from '../context.js';
import { ProblemError } from '../errors.js';
import { idempotent } from '../middleware/idempotency.js';
import { decodeCursor, page, pageQuery } from '../pagination.js';
import {
  bearer,
  bodyProblems,
  createRouter,
  jsonAnswer,
  jsonBody,
  problems,
  type Router,
} from '../router.js';
import { toUser, userBody, userSchema } from '../user-resource.js';
import { idempotencyHeader, idParam, refuseField, userText } from '../validation.js';

const shared = { tags: ['Admin'], security: bearer };

const userList = z
  .object({ items: z.array(userSchema), nextCursor: z.string().nullable() })
  .openapi('UserList');

const list = createRoute({
  ...shared,
  method: 'get',
  path: '/admin/users',
  summary: 'All users, newest first',
  request: {
    query: z.strictObject({
      ...pageQuery,
      query: userText(254).optional().openapi({ description: 'Part of the e-mail address or a name.' }),
      status: z.enum(['active', 'suspended']).optional(),
      role: z.enum(['user', 'admin']).optional(),
    }),
  },
  responses: { 200: jsonAnswer('A page of users', userList), ...problems(401, 403, 422) },
});

const statusChange = (
  summary: string,
  description: string,
  path: '/admin/users/{id}/suspend' | '/admin/users/{id}/unsuspend',
) =>
  createRoute({
    ...shared,
    method: 'post',
    path,
    summary,
    description,
    request: { params: idParam },
    responses: { 200: jsonAnswer('The user', userSchema), ...problems(401, 403, 404, 409) },
  });

const suspend = statusChange(
  'Suspend a user',
  'Every login of theirs ends at once, and their API keys do nothing until they are let in again. Running jobs go on. Suspending twice changes nothing.',
  '/admin/users/{id}/suspend',
);

const unsuspend = statusChange(
  'Let a suspended user in again',
  'They log in anew. Doing it twice changes nothing.',
  '/admin/users/{id}/unsuspend',
);

const maxGrant = 1_000_000;

const balanceSchema = z
  .object({ userId: z.uuid(), balance: z.int(), held: z.int(), available: z.int() })
  .openapi('UserBalance');

const amount = z
  .int()
  .min(-maxGrant)
  .max(maxGrant)
  .refine((credits) => credits !== 0, 'must not be 0')
  .openapi({ description: 'Credits; negative takes them back, never more than are available.' });

export function adminUserRoutes({ db }: RouteDeps): Router {
  const grant = createRoute({
    ...shared,
    method: 'post',
    path: '/admin/users/{id}/credits',
    summary: 'Give a user credits, or take them back',
    middleware: [idempotent(db)] as const,
    request: {
      params: idParam,
      headers: idempotencyHeader,
      body: jsonBody(
        z.strictObject({
          amount,
          reason: userText(200).openapi({ description: 'The user reads it in their entries.' }),
        }),
      ),
    },
    responses: {
      200: jsonAnswer('What the user has now', balanceSchema),
      ...bodyProblems,
      ...problems(403, 404, 409),
    },
  });

  function setStatus(actorId: string, id: string, status: UserRow['status']): Promise<UserRow> {
    return db.transaction().execute(async (trx) => {
      const target = await lockTarget(trx, actorId, id);
      if (target.status === status) return target;
      if (status === 'suspended') {
        if (id === actorId) throw new ProblemError('own_account');
        await deleteUserSessions(trx, id);
      }
      const action = status === 'suspended' ? 'admin.user_suspended' : 'admin.user_unsuspended';
      await writeAudit(trx, { actorId, action, target: id });
      return setUserStatus(trx, id, status);
    });
  }

  return createRouter()
    .openapi(list, async (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query');
      const rows = await listUsers(db, { ...filter, limit, after: decodeCursor(cursor) });
      return c.json(page(rows, limit, toUser), 200);
    })
    .openapi(suspend, async (c) =>
      c.json(await userBody(db, await setStatus(c.var.user.id, c.req.valid('param').id, 'suspended')), 200),
    )
    .openapi(unsuspend, async (c) =>
      c.json(await userBody(db, await setStatus(c.var.user.id, c.req.valid('param').id, 'active')), 200),
    )
    .openapi(grant, async (c) => {
      const actorId = c.var.user.id;
      const { id } = c.req.valid('param');
      // A repetition is what the Idempotency-Key is for; the grant itself is a new one each time.
      const deed = { ...c.req.valid('json'), userId: id, actorId, key: `admin:${randomUUID()}` };
      const body = await db
        .transaction()
        .execute(async (trx) => {
          await lockTarget(trx, actorId, id);
          await grantCredits(trx, deed);
          const { available, held } = await readBalance(trx, id);
          const answer = { userId: id, balance: available + held, held, available };
          await c.var.idempotency?.complete(trx, 200, answer);
          return answer;
        })
        .catch((error: unknown) => {
          if (!(error instanceof InsufficientCredits)) throw error;
          throw refuseField('body.amount', `takes more than the ${error.available} that are available`);
        });
      return c.json(body, 200);
    });
}

/** Whom an admin acts on, held until the transaction ends; the admin must still be one by then. */
async function lockTarget(trx: Db, actorId: string, id: string): Promise<UserRow> {
  const { actor, target } = await lockActorAndTarget(trx, actorId, id);
  if (actor?.role !== 'admin' || actor.status !== 'active') throw new ProblemError('forbidden');
  if (target === undefined) throw new ProblemError('not_found');
  return target;
}
