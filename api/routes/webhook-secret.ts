import { createRoute, z } from '@hono/zod-openapi';
import { writeAudit } from '../../db/audit.js';
import { readWebhookSecret, rotateWebhookSecret, type WebhookSecret } from '../../db/webhook-secrets.js';
import type { RouteDeps } from '../context.js';
import { requireSession } from '../middleware/authorize.js';
import { bearer, createRouter, jsonAnswer, problems, type Router } from '../router.js';

const secretSchema = z
  .object({
    secret: z
      .string()
      .openapi({ description: '`whsec_` and base64, as Standard Webhooks libraries take it.' }),
    previousValidUntil: z.iso
      .datetime()
      .nullable()
      .openapi({ description: 'Until then messages also carry a signature by the secret before this one.' }),
  })
  .openapi('WebhookSecret');

const read = createRoute({
  method: 'get',
  path: '/users/me/webhook-secret',
  tags: ['Users'],
  summary: 'The secret that calls to my `callbackUrl`s are signed with',
  security: bearer,
  // As with keys: a key that leaks must not let anybody speak in our name.
  middleware: requireSession,
  responses: { 200: jsonAnswer('The secret', secretSchema), ...problems(401) },
});

const rotate = createRoute({
  method: 'post',
  path: '/users/me/webhook-secret',
  tags: ['Users'],
  summary: 'A new secret; the old one signs along for a day',
  security: bearer,
  middleware: requireSession,
  responses: { 200: jsonAnswer('The new secret', secretSchema), ...problems(401) },
});

export function webhookSecretRoutes({ db }: RouteDeps): Router {
  return createRouter()
    .openapi(read, async (c) => c.json(shown(await readWebhookSecret(db, c.var.user.id)), 200))
    .openapi(rotate, async (c) => {
      const userId = c.var.user.id;
      const rotated = await db.transaction().execute(async (trx) => {
        const made = await rotateWebhookSecret(trx, userId);
        await writeAudit(trx, { actorId: userId, action: 'auth.webhook_secret_rotated', target: userId });
        return made;
      });
      return c.json(shown(rotated), 200);
    });
}

function shown({ secret, previousValidUntil }: WebhookSecret): z.infer<typeof secretSchema> {
  return { secret, previousValidUntil: previousValidUntil?.toISOString() ?? null };
}
