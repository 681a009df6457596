import { createRoute, z } from '@hono/zod-openapi';
import { logActivity } from '../../db/activity-log.js';
import { deleteVideo } from '../../db/video-removal.js';
import { findVideo, listVideos, renameVideo } from '../../db/videos.js';
import { acceptJob } from '../accept-job.js';
import type { RouteDeps } from '../context.js';
import { ProblemError } from '../errors.js';
import { generateRequest, generateSchema } from '../job-request.js';
import { jobSchema } from '../job-resource.js';
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
import { idempotencyHeader, idParam, storableText, userText } from '../validation.js';
import { toVideo, videoSchema } from '../video-resource.js';

const videoList = z
  .object({ items: z.array(videoSchema), nextCursor: z.string().nullable() })
  .openapi('VideoList');

const list = createRoute({
  method: 'get',
  path: '/videos',
  tags: ['Videos'],
  summary: 'My videos, newest first',
  security: bearer,
  request: {
    query: z.strictObject({
      ...pageQuery,
      query: userText(200).optional().openapi({ description: 'Part of the title.' }),
      projectId: z.uuid().optional(),
    }),
  },
  responses: { 200: jsonAnswer('A page of videos', videoList), ...problems(401, 422) },
});

const read = createRoute({
  method: 'get',
  path: '/videos/{id}',
  tags: ['Videos'],
  summary: 'A video',
  security: bearer,
  request: { params: idParam },
  responses: { 200: jsonAnswer('The video', videoSchema), ...problems(401, 404) },
});

const rename = createRoute({
  method: 'put',
  path: '/videos/{id}',
  tags: ['Videos'],
  summary: 'Change title and description',
  security: bearer,
  request: {
    params: idParam,
    body: jsonBody(
      z
        .strictObject({ title: userText(200).optional(), description: storableText(5_000).optional() })
        .refine((change) => Object.keys(change).length > 0, 'needs at least one change')
        .openapi({ minProperties: 1 }),
    ),
  },
  responses: { 200: jsonAnswer('The video', videoSchema), ...bodyProblems, ...problems(404) },
});

const remove = createRoute({
  method: 'delete',
  path: '/videos/{id}',
  tags: ['Videos'],
  summary: 'Remove a video from the gallery',
  security: bearer,
  request: { params: idParam },
  responses: { 204: { description: 'Removed' }, ...problems(401, 404, 409) },
});

export function videoRoutes(deps: RouteDeps): Router {
  const { db } = deps;

  const generate = createRoute({
    method: 'post',
    path: '/videos/generate',
    tags: ['Videos'],
    summary: 'An explainer from a prompt or a text of yours',
    security: bearer,
    middleware: [idempotent(db)] as const,
    request: { headers: idempotencyHeader, body: jsonBody(generateSchema) },
    responses: { 202: jsonAnswer('Accepted', jobSchema), ...bodyProblems, ...problems(402, 409, 503) },
  });

  return createRouter()
    .openapi(generate, async (c) =>
      c.json(await acceptJob(deps, c, await generateRequest(db, c.var.user.id, c.req.valid('json'))), 202),
    )
    .openapi(list, async (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query');
      const rows = await listVideos(db, c.var.user.id, { ...filter, limit, after: decodeCursor(cursor) });
      return c.json(page(rows, limit, toVideo), 200);
    })
    .openapi(read, async (c) => {
      const row = await findVideo(db, c.var.user.id, c.req.valid('param').id);
      if (row === undefined) throw new ProblemError('not_found');
      return c.json(toVideo(row), 200);
    })
    .openapi(rename, async (c) => {
      const { id } = c.req.valid('param');
      const userId = c.var.user.id;
      const row = await db.transaction().execute(async (trx) => {
        if (!(await renameVideo(trx, userId, id, c.req.valid('json')))) return undefined;
        const renamed = await findVideo(trx, userId, id);
        const message = `Video renamed: ${renamed?.title ?? ''}`;
        await logActivity(trx, { userId, videoId: id, type: 'video_renamed', message });
        return renamed;
      });
      if (row === undefined) throw new ProblemError('not_found');
      return c.json(toVideo(row), 200);
    })
    .openapi(remove, async (c) => {
      const { id } = c.req.valid('param');
      const userId = c.var.user.id;
      await db.transaction().execute(async (trx) => {
        const row = await findVideo(trx, userId, id);
        if (row?.editing === true) throw new ProblemError('video_busy');
        if (row === undefined || !(await deleteVideo(trx, userId, id))) throw new ProblemError('not_found');
        const message = `Video deleted: ${row.title}`;
        await logActivity(trx, { userId, videoId: id, type: 'video_deleted', message });
      });
      return c.body(null, 204);
    });
}
