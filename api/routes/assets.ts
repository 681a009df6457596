import { createRoute, z } from '@hono/zod-openapi';
import { logActivity } from '../../db/activity-log.js';
import { deleteAsset, findAsset, listAssets } from '../../db/assets.js';
import { assetKinds } from '../../workflows/contract/assets.js';
import { assetSchema, toAsset } from '../asset-resource.js';
import type { RouteDeps } from '../context.js';
import { ProblemError } from '../errors.js';
import { fileNameSchema } from '../file-name.js';
import { makeAsset } from '../keep-asset.js';
import { assertOwnProject } from '../own-project.js';
import { decodeCursor, page, pageQuery } from '../pagination.js';
import { withIntakeFile } from '../receive-file.js';
import { receiveForm } from '../receive-form.js';
import { bearer, createRouter, fileAnswers, jsonAnswer, problems, type Router } from '../router.js';
import { serveObject, storageKey } from '../serve-object.js';
import { createUploadPlaces } from '../upload-places.js';
import { downloadQuery, fieldErrors, idParam, refuseField } from '../validation.js';

const create = createRoute({
  method: 'post',
  path: '/assets',
  tags: ['Assets'],
  summary: 'Bring a file of mine',
  description:
    'What it is is found in the file itself. The same bytes as the same kind give the same asset again, with 200.',
  security: bearer,
  request: {
    body: {
      required: true,
      content: {
        // Not a zod schema: the body is read as it comes, not collected to be validated.
        'multipart/form-data': {
          schema: {
            type: 'object',
            properties: {
              kind: { type: 'string', enum: [...assetKinds] },
              projectId: { type: 'string', format: 'uuid' },
              file: { type: 'string', format: 'binary' },
            },
            required: ['kind', 'file'],
            additionalProperties: false,
          },
        },
      },
    },
  },
  responses: {
    200: jsonAnswer('The asset that was there already', assetSchema),
    201: jsonAnswer('The asset', assetSchema),
    ...problems(400, 401, 413, 415, 422, 429, 503),
  },
});

const list = createRoute({
  method: 'get',
  path: '/assets',
  tags: ['Assets'],
  summary: 'My files, newest first',
  security: bearer,
  request: {
    query: z.strictObject({
      ...pageQuery,
      kind: z.enum(assetKinds).optional(),
      projectId: z.uuid().optional(),
    }),
  },
  responses: {
    200: jsonAnswer(
      'A page of assets',
      z.object({ items: z.array(assetSchema), nextCursor: z.string().nullable() }).openapi('AssetList'),
    ),
    ...problems(401, 422),
  },
});

const read = createRoute({
  method: 'get',
  path: '/assets/{id}',
  tags: ['Assets'],
  summary: 'A file of mine: what is known of it',
  security: bearer,
  request: { params: idParam },
  responses: { 200: jsonAnswer('The asset', assetSchema), ...problems(401, 404) },
});

const content = createRoute({
  method: 'get',
  path: '/assets/{id}/content',
  tags: ['Assets'],
  summary: 'The file as it came',
  security: bearer,
  request: { params: idParam, query: downloadQuery },
  responses: { ...fileAnswers('*/*'), ...problems(401, 404, 416, 422, 503) },
});

const remove = createRoute({
  method: 'delete',
  path: '/assets/{id}',
  tags: ['Assets'],
  summary: 'Remove a file of mine',
  description: 'Jobs that were given it, and videos that show it, keep what they need.',
  security: bearer,
  request: { params: idParam },
  responses: { 204: { description: 'Removed' }, ...problems(401, 404) },
});

const fieldsSchema = z.object({ kind: z.enum(assetKinds), projectId: z.uuid().nullable().default(null) });

export function assetRoutes(deps: RouteDeps): Router {
  const { db, storage, intake } = deps;
  const places = createUploadPlaces();
  const largest = Math.max(...Object.values(intake.maxBytes));

  return createRouter()
    .openapi(create, (c) =>
      places.take(c.var.user.id, () =>
        withIntakeFile(intake.dir, async (path) => {
          const userId = c.var.user.id;
          const form = await receiveForm(c, path, {
            fileField: 'file',
            fields: ['kind', 'projectId'],
            maxBytes: ({ kind }) =>
              assetKinds.reduce((max, one) => (one === kind ? intake.maxBytes[one] : max), largest),
          });
          const fields = fieldsSchema.safeParse(form.fields);
          if (!fields.success) {
            throw new ProblemError('validation_failed', { errors: fieldErrors(fields.error, 'body') });
          }
          if (form.file === undefined) throw refuseField('body.file', 'is required');
          const name = fileNameSchema.safeParse(form.file.fileName);
          if (!name.success)
            throw refuseField('body.file', `file name ${name.error.issues[0]?.message ?? ''}`);
          const { kind, projectId } = fields.data;
          await assertOwnProject(db, userId, projectId);
          const incoming = { userId, kind, projectId, fileName: name.data, file: form.file };
          const { asset, isNew } = await makeAsset(deps, incoming);
          c.header('location', `/api/v1/assets/${asset.id}`);
          return c.json(toAsset(asset), isNew ? 201 : 200);
        }),
      ),
    )
    .openapi(list, async (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query');
      const rows = await listAssets(db, c.var.user.id, { ...filter, limit, after: decodeCursor(cursor) });
      return c.json(page(rows, limit, toAsset), 200);
    })
    .openapi(read, async (c) => {
      const row = await findAsset(db, c.var.user.id, c.req.valid('param').id);
      if (row === undefined) throw new ProblemError('not_found');
      return c.json(toAsset(row), 200);
    })
    .openapi(content, async (c) => {
      const row = await findAsset(db, c.var.user.id, c.req.valid('param').id);
      if (row === undefined) throw new ProblemError('not_found');
      return serveObject(c, storage, {
        key: storageKey(row.artifact_id),
        contentType: row.content_type,
        tag: row.sha256,
        fileName: row.file_name,
        // Of all that is taken only tables would be shown as text.
        download: c.req.valid('query').download === '1' || row.kind === 'recipients',
      });
    })
    .openapi(remove, async (c) => {
      const userId = c.var.user.id;
      const removed = await db.transaction().execute(async (trx) => {
        const row = await deleteAsset(trx, userId, c.req.valid('param').id);
        const message = `Removed the file ${row?.file_name ?? ''}.`;
        if (row !== undefined) await logActivity(trx, { userId, type: 'asset_deleted', message });
        return row !== undefined;
      });
      if (!removed) throw new ProblemError('not_found');
      return c.body(null, 204);
    });
}
