import { createRoute, z } from '@hono/zod-openapi';
import { listJobs } from '../../db/jobs.js';
import { jobStatuses, jobTypes } from '../../workflows/contract/jobs.js';
import { callbackProblem } from '../../workflows/contract/webhooks.js';
import { acceptJob } from '../accept-job.js';
import type { RouteDeps } from '../context.js';
import { ProblemError } from '../errors.js';
import { assertStartable, newJobSchema, toJobRequest, toQuote } from '../job-request.js';
import { jobBody, jobSchema } from '../job-resource.js';
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
import { quoteSchema } from '../start-batch.js';
import { idempotencyHeader, idParam, refuseField } from '../validation.js';

const jobList = z.object({ items: z.array(jobSchema), nextCursor: z.string().nullable() }).openapi('JobList');

export function jobRoutes(deps: RouteDeps): Router {
  const { db, views } = deps;

  const create = createRoute({
    method: 'post',
    path: '/jobs',
    tags: ['Jobs'],
    summary: 'Start a job of any type',
    description:
      'The typed addresses are shorthands for this one; files are named by the ids of assets. `dryRun` of a batch checks and quotes.',
    security: bearer,
    middleware: [idempotent(db)] as const,
    request: { headers: idempotencyHeader, body: jsonBody(newJobSchema) },
    responses: {
      200: jsonAnswer('What a batch would cost (`dryRun`)', quoteSchema),
      202: jsonAnswer('Accepted', jobSchema),
      ...bodyProblems,
      ...problems(402, 409, 503),
    },
  });

  const list = createRoute({
    method: 'get',
    path: '/jobs',
    tags: ['Jobs'],
    summary: 'My jobs, newest first',
    security: bearer,
    request: {
      query: z.strictObject({
        ...pageQuery,
        type: z.enum(jobTypes).optional(),
        status: z.enum(jobStatuses).optional(),
        projectId: z.uuid().optional(),
      }),
    },
    responses: { 200: jsonAnswer('A page of jobs', jobList), ...problems(401, 422) },
  });

  const read = createRoute({
    method: 'get',
    path: '/jobs/{id}',
    tags: ['Jobs'],
    summary: 'A job as it is now',
    security: bearer,
    request: { params: idParam },
    responses: { 200: jsonAnswer('The job', jobSchema), ...problems(401, 404) },
  });

  return createRouter()
    .openapi(create, async (c) => {
      const body = c.req.valid('json');
      const userId = c.var.user.id;
      assertStartable(body);
      refuseUnreachable(body.callbackUrl, deps.allowPrivateCallbacks ?? false);
      if (body.type === 'personalized' && body.parameters.dryRun) {
        return c.json(await toQuote(deps, userId, body), 200);
      }
      const request = await toJobRequest(deps, userId, body);
      return c.json(await acceptJob(deps, c, { ...request, callbackUrl: body.callbackUrl ?? null }), 202);
    })
    .openapi(list, async (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query');
      const rows = await listJobs(db, c.var.user.id, { ...filter, limit, after: decodeCursor(cursor) });
      return c.json(
        page(rows, limit, (row) => jobBody(row)),
        200,
      );
    })
    .openapi(read, async (c) => {
      const job = await views.get(c.var.user.id, c.req.valid('param').id);
      if (job === undefined) throw new ProblemError('not_found');
      return c.json(job, 200);
    });
}

/** @throws ProblemError `validation_failed` for what can be seen to be wrong before it is called */
function refuseUnreachable(callbackUrl: string | undefined, allowPrivate: boolean): void {
  const problem = callbackUrl === undefined ? undefined : callbackProblem(callbackUrl, allowPrivate);
  if (problem !== undefined) throw refuseField('body.callbackUrl', problem);
}
