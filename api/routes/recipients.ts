import { createRoute, z } from '@hono/zod-openapi';
import { findJob } from '../../db/jobs.js';
import { findOwnRecipientFile, listOwnRecipients } from '../../db/recipients.js';
import { recipientStatuses } from '../../workflows/contract/personalized.js';
import type { RouteDeps } from '../context.js';
import { ProblemError } from '../errors.js';
import { recipientSchema, toRecipient } from '../recipient-resource.js';
import { bearer, createRouter, fileAnswers, jsonAnswer, problems, type Router } from '../router.js';
import { hashOf, serveObject, storageKey } from '../serve-object.js';
import { downloadQuery, idParam } from '../validation.js';

const position = z
  .string()
  .regex(/^\d{1,7}$/)
  .transform(Number)
  .openapi({ type: 'integer', minimum: 0, maximum: 9_999_999 });

const list = createRoute({
  method: 'get',
  path: '/jobs/{id}/recipients',
  tags: ['Personalized videos'],
  summary: 'The recipients of a batch, in the order of its file',
  security: bearer,
  request: {
    params: idParam,
    query: z.strictObject({
      limit: z.coerce.number().int().min(1).max(100).default(20),
      cursor: z
        .string()
        .regex(/^\d{1,7}$/, 'is not a cursor of this list')
        .optional(),
      status: z.enum(recipientStatuses).optional(),
    }),
  },
  responses: {
    200: jsonAnswer(
      'A page of recipients',
      z
        .object({ items: z.array(recipientSchema), nextCursor: z.string().nullable() })
        .openapi('RecipientList'),
    ),
    ...problems(401, 404, 422),
  },
});

const file = createRoute({
  method: 'get',
  path: '/jobs/{id}/recipients/{position}/file',
  tags: ['Personalized videos'],
  summary: "One recipient's file, as soon as it is delivered",
  security: bearer,
  request: { params: idParam.extend({ position }), query: downloadQuery },
  responses: { ...fileAnswers('video/mp4'), ...problems(401, 404, 416, 422, 503) },
});

export function recipientRoutes({ db, storage }: RouteDeps): Router {
  return createRouter()
    .openapi(list, async (c) => {
      const { id } = c.req.valid('param');
      const { limit, cursor, status } = c.req.valid('query');
      const userId = c.var.user.id;
      if ((await findJob(db, userId, id)) === undefined) throw new ProblemError('not_found');
      const after = cursor === undefined ? undefined : Number(cursor);
      const rows = await listOwnRecipients(db, userId, id, { status, after, limit });
      const shown = rows.slice(0, limit);
      const last = shown.at(-1);
      const nextCursor = rows.length > limit && last !== undefined ? String(last.position) : null;
      return c.json({ items: shown.map(toRecipient), nextCursor }, 200);
    })
    .openapi(file, async (c) => {
      const { id, position: place } = c.req.valid('param');
      const found = await findOwnRecipientFile(db, c.var.user.id, id, place);
      if (found?.file_artifact == null) throw new ProblemError('not_found');
      const artifact = found.file_artifact;
      return serveObject(c, storage, {
        key: storageKey(artifact),
        contentType: artifact.endsWith('.mp3') ? 'audio/mpeg' : 'video/mp4',
        tag: hashOf(artifact),
        fileName: found.file_name ?? artifact,
        download: c.req.valid('query').download === '1',
      });
    });
}
