import { createRoute, z } from '@hono/zod-openapi';
import { logActivity } from '../../db/activity-log.js';
import {
  deleteContents,
  deleteProject,
  findProject,
  insertProject,
  listProjects,
  lockProject,
  updateProject,
  type ProjectRow,
} from '../../db/projects.js';
import type { RouteDeps } from '../context.js';
import { ProblemError } from '../errors.js';
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
import { idParam, storableText, userText } from '../validation.js';

const statuses = z.enum(['draft', 'active', 'archived']);

const projectSchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    description: z.string(),
    status: statuses,
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .openapi('Project');

const list = createRoute({
  method: 'get',
  path: '/projects',
  tags: ['Projects'],
  summary: 'My projects, newest first',
  security: bearer,
  request: { query: z.strictObject({ ...pageQuery, status: statuses.optional() }) },
  responses: {
    200: jsonAnswer(
      'A page of projects',
      z.object({ items: z.array(projectSchema), nextCursor: z.string().nullable() }).openapi('ProjectList'),
    ),
    ...problems(401, 422),
  },
});

const create = createRoute({
  method: 'post',
  path: '/projects',
  tags: ['Projects'],
  summary: 'Begin a project',
  security: bearer,
  request: {
    body: jsonBody(
      z
        .strictObject({
          name: userText(200),
          description: storableText(5_000).default(''),
          status: statuses.default('draft'),
        })
        .openapi('NewProject'),
    ),
  },
  responses: { 201: jsonAnswer('The project', projectSchema), ...bodyProblems },
});

const read = createRoute({
  method: 'get',
  path: '/projects/{id}',
  tags: ['Projects'],
  summary: 'A project',
  security: bearer,
  request: { params: idParam },
  responses: { 200: jsonAnswer('The project', projectSchema), ...problems(401, 404) },
});

const change = createRoute({
  method: 'put',
  path: '/projects/{id}',
  tags: ['Projects'],
  summary: 'Change name, description or status',
  security: bearer,
  request: {
    params: idParam,
    body: jsonBody(
      z
        .strictObject({
          name: userText(200).optional(),
          description: storableText(5_000).optional(),
          status: statuses.optional(),
        })
        .refine((given) => Object.keys(given).length > 0, 'needs at least one change')
        .openapi('ProjectChange', { minProperties: 1 }),
    ),
  },
  responses: { 200: jsonAnswer('The project', projectSchema), ...bodyProblems, ...problems(404) },
});

const remove = createRoute({
  method: 'delete',
  path: '/projects/{id}',
  tags: ['Projects'],
  summary: 'Remove a project',
  description:
    'A project with jobs, videos or assets asks what is to become of them: `keep` leaves them without a project, `delete` removes its videos and assets, and what its jobs made, with the files that nothing else uses. Jobs stay as a record in any case.',
  security: bearer,
  request: { params: idParam, query: z.strictObject({ contents: z.enum(['keep', 'delete']).optional() }) },
  responses: { 204: { description: 'Removed' }, ...problems(401, 404, 409, 422) },
});

export function projectRoutes({ db }: RouteDeps): Router {
  return createRouter()
    .openapi(list, async (c) => {
      const { limit, cursor, status } = c.req.valid('query');
      const rows = await listProjects(db, c.var.user.id, { status, limit, after: decodeCursor(cursor) });
      return c.json(page(rows, limit, toProject), 200);
    })
    .openapi(create, async (c) => {
      const userId = c.var.user.id;
      const row = await db.transaction().execute(async (trx) => {
        const made = await insertProject(trx, userId, c.req.valid('json'));
        await logActivity(trx, {
          userId,
          type: 'project_created',
          message: `Began the project ${made.name}.`,
        });
        return made;
      });
      c.header('location', `/api/v1/projects/${row.id}`);
      return c.json(toProject(row), 201);
    })
    .openapi(read, async (c) => {
      const row = await findProject(db, c.var.user.id, c.req.valid('param').id);
      if (row === undefined) throw new ProblemError('not_found');
      return c.json(toProject(row), 200);
    })
    .openapi(change, async (c) => {
      const userId = c.var.user.id;
      const row = await db.transaction().execute(async (trx) => {
        const changed = await updateProject(trx, userId, c.req.valid('param').id, c.req.valid('json'));
        const message = `Changed the project ${changed?.name ?? ''}.`;
        if (changed !== undefined) await logActivity(trx, { userId, type: 'project_updated', message });
        return changed;
      });
      if (row === undefined) throw new ProblemError('not_found');
      return c.json(toProject(row), 200);
    })
    .openapi(remove, async (c) => {
      const userId = c.var.user.id;
      const { id } = c.req.valid('param');
      const { contents } = c.req.valid('query');
      await db.transaction().execute(async (trx) => {
        const project = await lockProject(trx, userId, id);
        if (project === undefined) throw new ProblemError('not_found');
        const { jobs, liveJobs, videos, assets } = project;
        if (contents === undefined && jobs + videos + assets > 0) {
          const detail = `The project has ${jobs} jobs, ${videos} videos and ${assets} assets; say with ?contents=keep or ?contents=delete what is to become of them.`;
          throw new ProblemError('project_not_empty', { detail });
        }
        // What they make would appear after everything was removed.
        if (contents === 'delete' && liveJobs > 0) throw new ProblemError('project_busy');
        if (contents === 'delete') await deleteContents(trx, userId, id);
        await deleteProject(trx, userId, id);
        const message = `Removed the project ${project.name}.`;
        await logActivity(trx, { userId, type: 'project_deleted', message });
      });
      return c.body(null, 204);
    });
}

function toProject(row: ProjectRow): z.infer<typeof projectSchema> {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    status: row.status,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}
