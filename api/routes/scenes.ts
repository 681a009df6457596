import { createRoute, z } from '@hono/zod-openapi';
import { findJob } from '../../db/jobs.js';
import { findVideo } from '../../db/videos.js';
import { acceptJob } from '../accept-job.js';
import type { RouteDeps } from '../context.js';
import { ProblemError } from '../errors.js';
import { jobSchema } from '../job-resource.js';
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
import { scenePatchSchema, toEdits } from '../scene-edits.js';
import { idempotencyHeader, idParam } from '../validation.js';
import { sceneSchema } from '../video-resource.js';

const list = createRoute({
  method: 'get',
  path: '/videos/{id}/scenes',
  tags: ['Videos'],
  summary: 'The scenes of a video',
  security: bearer,
  request: { params: idParam },
  responses: {
    200: jsonAnswer('The scenes', z.object({ items: z.array(sceneSchema), nextCursor: z.null() })),
    ...problems(401, 404),
  },
});

export function sceneRoutes(deps: RouteDeps): Router {
  const { db } = deps;

  const edit = createRoute({
    method: 'patch',
    path: '/videos/{id}/scenes/{number}',
    tags: ['Videos'],
    summary: 'Change one scene',
    description: 'A job that renders this scene and what touches it again, and joins the video anew.',
    security: bearer,
    middleware: [idempotent(db)] as const,
    request: {
      params: idParam.extend({ number: z.coerce.number().int().min(1) }),
      headers: idempotencyHeader,
      body: jsonBody(scenePatchSchema),
    },
    responses: { 202: jsonAnswer('Accepted', jobSchema), ...bodyProblems, ...problems(402, 404, 409) },
  });

  return createRouter()
    .openapi(list, async (c) => {
      const video = await findVideo(db, c.var.user.id, c.req.valid('param').id);
      if (video === undefined) throw new ProblemError('not_found');
      return c.json({ items: video.scenes, nextCursor: null }, 200);
    })
    .openapi(edit, async (c) => {
      const { id, number } = c.req.valid('param');
      const userId = c.var.user.id;
      const video = await findVideo(db, userId, id);
      if (video?.scenes.some((scene) => scene.number === number) !== true)
        throw new ProblemError('not_found');
      const made = await findJob(db, userId, video.job_id);
      if (made === undefined) throw new ProblemError('not_found');
      const changes = await toEdits(db, userId, [{ number, ...c.req.valid('json') }], () => 'body');
      const { options } = optionsOf.parse(made.workflow_input);
      const job = await acceptJob(deps, c, {
        type: 'explainer',
        parameters: { videoId: id, title: video.title, edits: changes },
        input: (ids) => ({ ...ids, options: { ...options, review: null }, videoId: id }),
        title: `scene ${number} of ${video.title}`,
        edits: changes,
        videoId: id,
        projectId: video.project_id,
      });
      return c.json(job, 202);
    });
}

/** The options are ours: validated when the job was made that they come from. */
const optionsOf = z.object({ options: z.looseObject({}) });
