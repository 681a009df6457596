import { createRoute, z } from '@hono/zod-openapi';
import {
  activityTypes,
  clearActivities,
  countActivities,
  listActivities,
  type ActivityRow,
} from '../../db/activity-log.js';
import type { RouteDeps } from '../context.js';
import { decodeCursor, page, pageQuery } from '../pagination.js';
import { bearer, createRouter, jsonAnswer, problems, type Router } from '../router.js';

const shared = { tags: ['Activities'], security: bearer };
const count = z.int().min(0);

const activitySchema = z
  .object({
    id: z.uuid(),
    type: z.enum(activityTypes),
    message: z.string(),
    timestamp: z.iso.datetime(),
    scriptId: z.uuid().nullable(),
    characterId: z.uuid().nullable(),
    videoId: z.uuid().nullable(),
    jobId: z.uuid().nullable(),
  })
  .openapi('Activity');

const activityList = z
  .object({ items: z.array(activitySchema), nextCursor: z.string().nullable() })
  .openapi('ActivityList');

const list = createRoute({
  ...shared,
  method: 'get',
  path: '/activities',
  summary: 'What happened, newest first',
  request: { query: z.strictObject({ ...pageQuery, limit: pageQuery.limit.unwrap().default(50) }) },
  responses: { 200: jsonAnswer('A page of activities', activityList), ...problems(401, 422) },
});

const stats = createRoute({
  ...shared,
  method: 'get',
  path: '/activities/stats',
  summary: 'How much happened since the log was cleared',
  responses: {
    200: jsonAnswer(
      'The counts',
      z
        .object({
          scriptActivities: count,
          characterActivities: count,
          videoActivities: count,
          totalActivities: count,
          lastActivityAt: z.iso.datetime().nullable(),
        })
        .openapi('ActivityStats'),
    ),
    ...problems(401),
  },
});

const clear = createRoute({
  ...shared,
  method: 'delete',
  path: '/activities',
  summary: 'Clear the log',
  description: 'The entries of the credits stay: they are books, not a log.',
  responses: { 200: jsonAnswer('How many there were', z.object({ deleted: count })), ...problems(401) },
});

export function activityRoutes({ db }: RouteDeps): Router {
  return createRouter()
    .openapi(list, async (c) => {
      const { limit, cursor } = c.req.valid('query');
      const rows = await listActivities(db, c.var.user.id, { limit, after: decodeCursor(cursor) });
      return c.json(page(rows, limit, toActivity), 200);
    })
    .openapi(stats, async (c) => {
      const { scripts, characters, videos, total, lastAt } = await countActivities(db, c.var.user.id);
      const body = {
        scriptActivities: scripts,
        characterActivities: characters,
        videoActivities: videos,
        totalActivities: total,
        lastActivityAt: lastAt?.toISOString() ?? null,
      };
      return c.json(body, 200);
    })
    .openapi(clear, async (c) => c.json({ deleted: await clearActivities(db, c.var.user.id) }, 200));
}

function toActivity(row: ActivityRow): z.infer<typeof activitySchema> {
  return {
    id: row.id,
    type: row.type,
    message: row.message,
    timestamp: row.created_at.toISOString(),
    scriptId: row.script_id,
    characterId: row.character_id,
    videoId: row.video_id,
    jobId: row.job_id,
  };
}
