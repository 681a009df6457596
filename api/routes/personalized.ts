import { createRoute } from '@hono/zod-openapi';
import { acceptJob } from '../accept-job.js';
import type { RouteDeps } from '../context.js';
import { ProblemError } from '../errors.js';
import { jobSchema, type Job } from '../job-resource.js';
import { idempotent, isForm, oncePerKey } from '../middleware/idempotency.js';
import { personalizedForm, receivePersonalized } from '../personalized-form.js';
import { personalizedSchema } from '../personalized-job.js';
import { bearer, createRouter, jsonAnswer, problems, type Router } from '../router.js';
import { batchRequest, quoteBatch, quoteSchema } from '../start-batch.js';
import { idempotencyHeader } from '../validation.js';

/** One base video and a list of recipients → one video for each of them. */
export function personalizedRoutes(deps: RouteDeps): Router {
  const { db } = deps;

  const create = createRoute({
    method: 'post',
    path: '/personalized-videos',
    tags: ['Personalized videos'],
    summary: 'One base video and a table of names → one video a recipient',
    description:
      'With files as multipart, or with the ids of assets as JSON. `dryRun` checks every row and quotes; nothing is rendered or charged.',
    security: bearer,
    middleware: [idempotent(db)] as const,
    request: {
      headers: idempotencyHeader,
      body: {
        // Of the two forms only JSON is validated in front of the handler, and only where it comes.
        required: false,
        content: {
          'application/json': { schema: personalizedSchema },
          // Not a zod schema: the body is read as it comes, not collected to be validated.
          'multipart/form-data': { schema: personalizedForm },
        },
      },
    },
    responses: {
      200: jsonAnswer('What it would cost (`dryRun`)', quoteSchema),
      202: jsonAnswer('Accepted', jobSchema),
      ...problems(400, 401, 402, 409, 413, 415, 422, 429, 503),
    },
  });

  return createRouter().openapi(create, async (c) => {
    if (!isForm(c)) {
      // Without a type nothing has looked at the body.
      if (!(c.req.header('content-type') ?? '').includes('json'))
        throw new ProblemError('unsupported_media_type');
      const body = personalizedSchema.parse(await c.req.json());
      if (body.dryRun) return c.json(await quoteBatch(deps, c.var.user.id, body), 200);
      return c.json(await acceptJob(deps, c, await batchRequest(deps, c.var.user.id, body)), 202);
    }
    return receivePersonalized(deps, c, async ({ body, fingerprint, look }) => {
      if (body.dryRun)
        return c.json(await quoteBatch(deps, c.var.user.id, body, (await look()).brought), 200);
      let job: Job | undefined;
      const kept = await oncePerKey(db, c, fingerprint, async () => {
        job = await acceptJob(deps, c, await batchRequest(deps, c.var.user.id, body, await look()));
      });
      return c.json(job ?? jobSchema.parse(kept?.body), 202);
    });
  });
}
