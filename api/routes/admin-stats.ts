import { createRoute, z } from '@hono/zod-openapi';
import { countUsers, measureArtifacts, sumCredits } from '../../db/admin.js';
import { countJobs } from '../../db/jobs.js';
import { jobStatuses, jobTypes, pools } from '../../workflows/contract/jobs.js';
import type { RouteDeps } from '../context.js';
import type { QueueBacklog } from '../queue-backlogs.js';
import { bearer, createRouter, jsonAnswer, problems, type Router } from '../router.js';

const count = z.int().min(0);

const statsSchema = z
  .object({
    users: z.object({ total: count, active: count, suspended: count, admins: count }),
    jobs: z.array(z.object({ type: z.enum(jobTypes), status: z.enum(jobStatuses), count })),
    storage: z.object({ objects: count, bytes: count }),
    credits: z.object({
      issued: z.int().openapi({ description: 'Given out, less what was taken back.' }),
      available: count,
      held: count,
      earned: count,
    }),
    queues: z
      .array(
        z.object({
          pool: z.enum(pools),
          backlog: count.openapi({ description: 'Tasks that no worker has taken yet, about.' }),
          backlogAgeSeconds: z.number().min(0),
          workers: count,
        }),
      )
      .nullable()
      .openapi({ description: 'Null while the engine does not answer.' }),
  })
  .openapi('Stats');

const stats = createRoute({
  method: 'get',
  path: '/admin/stats',
  tags: ['Admin'],
  summary: 'How much there is of everything',
  description: 'Jobs are counted by type and status; what there is none of is left out.',
  security: bearer,
  responses: { 200: jsonAnswer('The figures', statsSchema), ...problems(401, 403) },
});

export function adminStatsRoutes({ db, jobs: engine }: RouteDeps): Router {
  return createRouter().openapi(stats, async (c) => {
    const queues = engine.backlogs().catch((error: unknown): QueueBacklog[] | null => {
      c.var.logger.warn({ action: 'read queue backlogs', success: false, err: error });
      return null;
    });
    const [users, jobs, storage, credits] = await Promise.all([
      countUsers(db),
      countJobs(db),
      measureArtifacts(db),
      sumCredits(db),
    ]);
    return c.json({ users, jobs, storage, credits, queues: await queues }, 200);
  });
}
