import { createRoute, z } from '@hono/zod-openapi';
import { findJob, listJobArtifacts, type JobArtifactRow } from '../../db/jobs.js';
import { mainArtifact } from '../../db/main-artifact.js';
import type { RouteDeps } from '../context.js';
import { ProblemError } from '../errors.js';
import { titleOf } from '../explainer-request.js';
import { bearer, createRouter, fileAnswers, jsonAnswer, problems, type Router } from '../router.js';
import { serveObject, storageKey } from '../serve-object.js';
import { downloadQuery, idParam } from '../validation.js';

const artifactSchema = z
  .object({
    id: z.string().openapi({ description: 'What `/stages/*` takes.' }),
    kind: z.string(),
    name: z.string(),
    contentType: z.string(),
    bytes: z.int(),
    sha256: z.string(),
    url: z.string(),
  })
  .openapi('Artifact');

const list = createRoute({
  method: 'get',
  path: '/jobs/{id}/artifacts',
  tags: ['Jobs'],
  summary: 'Every file that a job made',
  security: bearer,
  request: { params: idParam },
  responses: {
    200: jsonAnswer('The artifacts', z.object({ items: z.array(artifactSchema), nextCursor: z.null() })),
    ...problems(401, 404),
  },
});

const content = createRoute({
  method: 'get',
  path: '/jobs/{id}/artifacts/{artifactId}',
  tags: ['Jobs'],
  summary: 'One file of a job',
  security: bearer,
  request: {
    params: idParam.extend({ artifactId: z.string().regex(/^[0-9a-f]{64}\.[a-z0-9]{1,8}$/) }),
    query: downloadQuery,
  },
  responses: { ...fileAnswers('*/*'), ...problems(401, 404, 416, 422, 503) },
});

const download = createRoute({
  method: 'get',
  path: '/jobs/{id}/download',
  tags: ['Jobs'],
  summary: 'The main result of a job',
  description:
    'The MP4; of a single stage its document or its captions. Stages that make a file for each scene have none: see the artifacts.',
  security: bearer,
  request: { params: idParam },
  responses: { ...fileAnswers('*/*'), ...problems(401, 404, 409, 416, 503) },
});

export function jobFileRoutes({ db, storage }: RouteDeps): Router {
  return createRouter()
    .openapi(list, async (c) => {
      const { id } = c.req.valid('param');
      const userId = c.var.user.id;
      if ((await findJob(db, userId, id)) === undefined) throw new ProblemError('not_found');
      const rows = await listJobArtifacts(db, userId, id);
      return c.json({ items: rows.map((row) => toArtifact(id, row)), nextCursor: null }, 200);
    })
    .openapi(content, async (c) => {
      const { id, artifactId } = c.req.valid('param');
      const rows = await listJobArtifacts(db, c.var.user.id, id);
      const artifact = rows.find((row) => row.id === artifactId);
      if (artifact === undefined) throw new ProblemError('not_found');
      return serveObject(c, storage, {
        key: storageKey(artifact.id),
        contentType: artifact.contentType,
        tag: artifact.sha256,
        fileName: artifact.name,
        download: c.req.valid('query').download === '1',
      });
    })
    .openapi(download, async (c) => {
      const { id } = c.req.valid('param');
      const userId = c.var.user.id;
      const job = await findJob(db, userId, id);
      if (job === undefined) throw new ProblemError('not_found');
      if (job.status !== 'completed') throw new ProblemError('job_not_finished');
      const rows = await listJobArtifacts(db, userId, id);
      const main = mainArtifact(rows);
      if (main === undefined) {
        throw new ProblemError('not_found', { detail: 'This job has no main result; see its artifacts.' });
      }
      const title = titleOf(job.parameters);
      const extension = main.name.slice(main.name.lastIndexOf('.'));
      return serveObject(c, storage, {
        key: storageKey(main.id),
        contentType: main.contentType,
        tag: main.sha256,
        fileName: title === '' ? main.name : `${title}${extension}`,
        download: true,
      });
    });
}

function toArtifact(jobId: string, row: JobArtifactRow): z.infer<typeof artifactSchema> {
  return { ...row, url: `/api/v1/jobs/${jobId}/artifacts/${row.id}` };
}
