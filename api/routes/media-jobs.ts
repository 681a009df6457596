import { setTimeout as sleep } from 'node:timers/promises';
import { createRoute } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { findJob, listJobArtifacts } from '../../db/jobs.js';
import { mainArtifact } from '../../db/main-artifact.js';
import { acceptJob } from '../accept-job.js';
import { receiveConversion, conversionForm } from '../conversion-form.js';
import type { AppEnv, RouteDeps } from '../context.js';
import { ProblemError } from '../errors.js';
import { jobSchema, type Job } from '../job-resource.js';
import { conversionRequest, conversionSchema, lipsyncRequest, lipsyncSchema } from '../media-job-request.js';
import { idempotent, isForm, oncePerKey } from '../middleware/idempotency.js';
import {
  bearer,
  bodyProblems,
  createRouter,
  fileAnswers,
  jsonAnswer,
  jsonBody,
  problems,
  type Router,
} from '../router.js';
import { serveObject, storageKey } from '../serve-object.js';
import { idempotencyHeader } from '../validation.js';

/** Longest that a client may ask to wait for the result itself, in seconds. */
const longestWait = 60;
const pollMs = 200;

/** Jobs of one media step. */
export function mediaJobRoutes(deps: RouteDeps): Router {
  const { db, storage } = deps;

  const convert = createRoute({
    method: 'post',
    path: '/convert',
    tags: ['Media'],
    summary: 'A video of mine as an MP4 that plays everywhere',
    description:
      'The file as multipart `baseVideo`, or `assetId` in JSON. With `Prefer: wait=60` the MP4 itself when it is ready in time.',
    security: bearer,
    middleware: [idempotent(db)] as const,
    request: {
      headers: idempotencyHeader,
      body: {
        // Of the two forms only JSON is validated in front of the handler, and only where it comes.
        required: false,
        content: {
          'application/json': { schema: conversionSchema },
          // Not a zod schema: the body is read as it comes, not collected to be validated.
          'multipart/form-data': { schema: conversionForm },
        },
      },
    },
    responses: {
      ...fileAnswers('video/mp4'),
      202: jsonAnswer('Accepted', jobSchema),
      ...problems(400, 401, 409, 413, 415, 416, 422, 429, 503),
    },
  });

  const lipsync = createRoute({
    method: 'post',
    path: '/lipsync',
    tags: ['Media'],
    summary: 'A video of mine whose speaker says other sound',
    security: bearer,
    middleware: [idempotent(db)] as const,
    request: { headers: idempotencyHeader, body: jsonBody(lipsyncSchema) },
    responses: { 202: jsonAnswer('Accepted', jobSchema), ...bodyProblems, ...problems(402, 409, 503) },
  });

  async function acceptConversion(c: Context<AppEnv>): Promise<Job> {
    const userId = c.var.user.id;
    if (!isForm(c)) {
      if (!(c.req.header('content-type') ?? '').includes('json'))
        throw new ProblemError('unsupported_media_type');
      const body = conversionSchema.parse(await c.req.json());
      return acceptJob(deps, c, await conversionRequest(db, userId, body));
    }
    const body = await receiveConversion(deps, c);
    let job: Job | undefined;
    const kept = await oncePerKey(db, c, JSON.stringify(body), async () => {
      job = await acceptJob(deps, c, await conversionRequest(db, userId, body));
    });
    return job ?? jobSchema.parse(kept?.body);
  }

  /** The finished file, if it is there before the wait is over. */
  async function awaitFile(c: Context<AppEnv>, jobId: string, seconds: number) {
    const deadline = Date.now() + seconds * 1_000;
    const userId = c.var.user.id;
    while (Date.now() < deadline && !deps.draining.aborted && !c.req.raw.signal.aborted) {
      const row = await findJob(db, userId, jobId);
      if (row === undefined || row.status === 'failed' || row.status === 'cancelled') return undefined;
      if (row.status === 'completed') return mainArtifact(await listJobArtifacts(db, userId, jobId));
      await sleep(pollMs);
    }
    return undefined;
  }

  return createRouter()
    .openapi(convert, async (c) => {
      const job = await acceptConversion(c);
      const wait = waitOf(c.req.header('prefer'));
      if (wait === undefined) return c.json(job, 202);
      const file = await awaitFile(c, job.id, wait);
      if (file === undefined) return c.json(job, 202);
      c.header('preference-applied', `wait=${wait}`);
      return serveObject(c, storage, {
        key: storageKey(file.id),
        contentType: file.contentType,
        tag: file.sha256,
        fileName: file.name,
        download: false,
      });
    })
    .openapi(lipsync, async (c) => {
      const request = await lipsyncRequest(db, c.var.user.id, c.req.valid('json'), deps.offered);
      return c.json(await acceptJob(deps, c, request), 202);
    });
}

/** Seconds of `Prefer: wait=…`. Source: RFC 7240, 4.3. */
function waitOf(header: string | undefined): number | undefined {
  const seconds = /(?:^|[,;\s])wait=(\d{1,4})(?:$|[,;\s])/i.exec(header ?? '')?.[1];
  return seconds === undefined ? undefined : Math.min(longestWait, Number(seconds));
}
