import { createRoute, z } from '@hono/zod-openapi';
import { countApiKeys, deleteApiKey, insertApiKey, listApiKeys, type ApiKeyRow } from '../../db/api-keys.js';
import { writeAudit } from '../../db/audit.js';
import { lockUser } from '../../db/users.js';
import { newApiKey } from '../auth/api-keys.js';
import { hashToken } from '../auth/tokens.js';
import type { RouteDeps } from '../context.js';
import { ProblemError } from '../errors.js';
import { requireSession } from '../middleware/authorize.js';
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
import { idParam, userText } from '../validation.js';

const maxKeys = 20;
const time = z.iso.datetime();

const keySchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    prefix: z.string().openapi({ description: 'How the key begins.', example: 'csk_Zk3pQ9xA' }),
    expiresAt: time.nullable(),
    lastUsedAt: time.nullable().openapi({ description: 'To the minute.' }),
    createdAt: time,
  })
  .openapi('ApiKey');

const newKeySchema = keySchema
  .extend({ key: z.string().openapi({ description: 'The key itself; it is never shown again.' }) })
  .openapi('NewApiKey');

const keyList = z
  .object({ items: z.array(keySchema), nextCursor: z.string().nullable() })
  .openapi('ApiKeyList');

const expiresAt = z.iso
  .datetime({ offset: true })
  .transform((text) => new Date(text))
  .refine((date) => date.getTime() > Date.now(), 'must be in the future')
  .openapi({ type: 'string', format: 'date-time' });

const shared = {
  tags: ['Users'],
  security: bearer,
  middleware: requireSession,
};

const list = createRoute({
  ...shared,
  method: 'get',
  path: '/users/me/api-keys',
  summary: 'My API keys, newest first',
  request: { query: z.strictObject(pageQuery) },
  responses: { 200: jsonAnswer('A page of keys', keyList), ...problems(401, 403, 422) },
});

// It takes no Idempotency-Key: the answer that is kept for one would hold the key itself.
const create = createRoute({
  ...shared,
  method: 'post',
  path: '/users/me/api-keys',
  summary: 'Make an API key',
  description: `For programs: a Bearer token that does all that a login does, but change passwords and keys. At most ${maxKeys} of an account.`,
  request: {
    body: jsonBody(z.strictObject({ name: userText(100), expiresAt: expiresAt.nullable().optional() })),
  },
  responses: { 201: jsonAnswer('The key', newKeySchema), ...bodyProblems, ...problems(403, 409) },
});

const remove = createRoute({
  ...shared,
  method: 'delete',
  path: '/users/me/api-keys/{id}',
  summary: 'End an API key at once',
  request: { params: idParam },
  responses: { 204: { description: 'Ended' }, ...problems(401, 403, 404) },
});

export function apiKeyRoutes({ db }: RouteDeps): Router {
  return createRouter()
    .openapi(list, async (c) => {
      const { limit, cursor } = c.req.valid('query');
      const rows = await listApiKeys(db, c.var.user.id, { limit, after: decodeCursor(cursor) });
      return c.json(page(rows, limit, toKey), 200);
    })
    .openapi(create, async (c) => {
      const userId = c.var.user.id;
      const body = c.req.valid('json');
      const { key, prefix } = newApiKey();
      const row = await db.transaction().execute(async (trx) => {
        await lockUser(trx, userId);
        if ((await countApiKeys(trx, userId)) >= maxKeys) throw new ProblemError('too_many_api_keys');
        const made = await insertApiKey(trx, {
          userId,
          name: body.name,
          prefix,
          keyHash: hashToken(key),
          expiresAt: body.expiresAt ?? null,
        });
        await writeAudit(trx, { actorId: userId, action: 'auth.api_key_created', target: made.id });
        return made;
      });
      return c.json({ ...toKey(row), key }, 201);
    })
    .openapi(remove, async (c) => {
      const userId = c.var.user.id;
      const { id } = c.req.valid('param');
      await db.transaction().execute(async (trx) => {
        const gone = await deleteApiKey(trx, userId, id);
        if (gone === undefined) throw new ProblemError('not_found');
        await writeAudit(trx, { actorId: userId, action: 'auth.api_key_deleted', target: id });
      });
      return c.body(null, 204);
    });
}

function toKey(row: ApiKeyRow): z.infer<typeof keySchema> {
  return {
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    expiresAt: row.expires_at?.toISOString() ?? null,
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
  };
}
