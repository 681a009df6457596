import { createRoute } from '@hono/zod-openapi';
import { cancelUnsubmitted } from '../../db/job-ends.js';
import { findJob, requestCancel, type JobRow } from '../../db/jobs.js';
import { acceptJob } from '../accept-job.js';
import type { RouteDeps } from '../context.js';
import { currentJob } from '../current-job.js';
import { ProblemError } from '../errors.js';
import { jobSchema } from '../job-resource.js';
import { EngineUnavailableError } from '../jobs-client.js';
import { idempotent } from '../middleware/idempotency.js';
import { bearer, createRouter, jsonAnswer, problems, type Router } from '../router.js';
import { restOfBatch, retryBody, retrySchema } from '../retry-batch.js';
import { idempotencyHeader, idParam, refuseField } from '../validation.js';

export function jobChangeRoutes(deps: RouteDeps): Router {
  const { db, jobs, views } = deps;

  const cancel = createRoute({
    method: 'delete',
    path: '/jobs/{id}',
    tags: ['Jobs'],
    summary: 'Cancel a job',
    description: 'Cancelling twice, or after the end, changes nothing and answers 200.',
    security: bearer,
    request: { params: idParam },
    responses: {
      200: jsonAnswer('Cancelled or over already', jobSchema),
      202: jsonAnswer('It winds down', jobSchema),
      ...problems(401, 404),
    },
  });

  const retry = createRoute({
    method: 'post',
    path: '/jobs/{id}/retry',
    tags: ['Jobs'],
    summary: 'A failed or cancelled job again',
    description:
      'A new job with the same parameters; finished steps come from the cache. Of a batch just those recipients that were not delivered; what was delivered and is in no archive is packed with them, at no charge. With `only: "failed"` also of a batch that is completed.',
    security: bearer,
    middleware: [idempotent(db)] as const,
    request: {
      params: idParam,
      headers: idempotencyHeader,
      body: { required: false, content: { 'application/json': { schema: retrySchema } } },
    },
    responses: {
      202: jsonAnswer('The new job', jobSchema),
      ...problems(400, 401, 402, 404, 409, 413, 415, 422),
    },
  });

  /** Tells the engine; a job that it does not know ends here. */
  async function tellEngine(row: JobRow): Promise<'winding_down' | 'ended'> {
    try {
      if ((await jobs.cancel(row.id)) === 'requested') return 'winding_down';
    } catch (error) {
      if (!(error instanceof EngineUnavailableError)) throw error;
      // The wish is written down: the sweeper passes it on.
      if (row.submitted_at !== null) return 'winding_down';
    }
    return (await cancelUnsubmitted(db, row.id)) ? 'ended' : 'winding_down';
  }

  return createRouter()
    .openapi(cancel, async (c) => {
      const { id } = c.req.valid('param');
      const userId = c.var.user.id;
      const row = await requestCancel(db, userId, id);
      if (row === undefined) return c.json(await currentJob(views, userId, id), 200);
      const outcome = await tellEngine(row);
      c.var.logger.info({
        jobId: id,
        stage: 'cancel',
        action: 'cancel job',
        success: true,
        info: { outcome },
      });
      return c.json(await currentJob(views, userId, id), outcome === 'ended' ? 200 : 202);
    })
    .openapi(retry, async (c) => {
      const row = await findJob(db, c.var.user.id, c.req.valid('param').id);
      if (row === undefined) throw new ProblemError('not_found');
      const isBatch = row.type === 'personalized';
      const { only } = await retryBody(c);
      if (only !== undefined && !isBatch) throw refuseField('body.only', 'is for batches');
      const isOver = row.status === 'failed' || row.status === 'cancelled';
      const isPartly = isBatch && row.status === 'completed' && only === 'failed';
      if (!isOver && !isPartly) throw new ProblemError('job_not_retryable');
      const rest = isBatch ? await restOfBatch(db, row) : {};
      const job = await acceptJob(deps, c, {
        type: row.type,
        parameters: row.parameters,
        input: (ids) => ({ ...row.workflow_input, ...ids }),
        title: `again: ${row.id}`,
        edits: row.edits,
        videoId: row.video_id,
        projectId: row.project_id,
        retryOf: row.id,
        callbackUrl: row.callback_url,
        ...rest,
      });
      return c.json(job, 202);
    });
}
