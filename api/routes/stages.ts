import { createRoute } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { stageNames } from '../../workflows/contract/explainer.js';
import { acceptJob } from '../accept-job.js';
import type { AppEnv, RouteDeps } from '../context.js';
import { stageRequest } from '../job-request.js';
import { jobSchema, type Job } from '../job-resource.js';
import { idempotent } from '../middleware/idempotency.js';
import {
  bearer,
  bodyProblems,
  createRouter,
  jsonAnswer,
  jsonBody,
  problems,
  type Router,
} from '../router.js';
import { stageParameters, stageSchemas, type StageRequest } from '../stage-request.js';
import { idempotencyHeader } from '../validation.js';

const summaries = {
  content: 'A topic or a text → what the video is about',
  scripts: 'Content → scenes with narration and picture descriptions',
  images: 'Script → a picture for each scene',
  voices: 'Script → a spoken narration for each scene',
  captions: 'Script and voices → timed words, VTT, SRT and ASS',
  assembly: 'Pictures, voices and captions → MP4',
};

/** One address for each stage; all of them start a job of type `stage`. */
export function stageRoutes(deps: RouteDeps): Router {
  const { db } = deps;

  async function accept(c: Context<AppEnv>, request: StageRequest): Promise<Job> {
    return acceptJob(deps, c, await stageRequest(deps, c.var.user.id, request));
  }

  const router = createRouter();
  for (const stage of stageNames) {
    const route = createRoute({
      method: 'post',
      path: `/stages/${stage}`,
      tags: ['Stages'],
      summary: summaries[stage],
      security: bearer,
      middleware: [idempotent(db)] as const,
      request: { headers: idempotencyHeader, body: jsonBody(stageSchemas[stage]) },
      responses: { 202: jsonAnswer('Accepted', jobSchema), ...bodyProblems, ...problems(402, 409, 503) },
    });
    router.openapi(route, async (c) =>
      c.json(await accept(c, stageParameters.parse({ stage, ...c.req.valid('json') })), 202),
    );
  }
  return router;
}
