import { createRoute, z } from '@hono/zod-openapi';
import { listAllJobs } from '../../db/admin.js';
import { listAudit } from '../../db/audit.js';
import { jobStatuses, jobTypes } from '../../workflows/contract/jobs.js';
import type { RouteDeps } from '../context.js';
import { jobBody, jobSchema } from '../job-resource.js';
import { decodeCursor, page, pageQuery } from '../pagination.js';
import { bearer, createRouter, jsonAnswer, problems, type Router } from '../router.js';

const shared = { tags: ['Admin'], security: bearer };

const ownedJob = jobSchema.extend({ userId: z.uuid(), userEmail: z.email() }).openapi('OwnedJob');

const jobs = createRoute({
  ...shared,
  method: 'get',
  path: '/admin/jobs',
  summary: 'Everybody’s jobs, newest first',
  request: {
    query: z.strictObject({
      ...pageQuery,
      type: z.enum(jobTypes).optional(),
      status: z.enum(jobStatuses).optional(),
      userId: z.uuid().optional(),
    }),
  },
  responses: {
    200: jsonAnswer(
      'A page of jobs, as they are recorded',
      z.object({ items: z.array(ownedJob), nextCursor: z.string().nullable() }).openapi('OwnedJobList'),
    ),
    ...problems(401, 403, 422),
  },
});

const auditEntry = z
  .object({
    id: z.uuid(),
    at: z.iso.datetime(),
    action: z.string().openapi({ example: 'admin.user_suspended' }),
    actorId: z.uuid().nullable().openapi({ description: 'Null where nobody was logged in.' }),
    actorEmail: z.email().nullable(),
    target: z.string().nullable().openapi({ description: 'Id of what it was done to.' }),
    detail: z.record(z.string(), z.unknown()),
  })
  .openapi('AuditEntry');

const word = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[\x21-\x7e]+$/, 'must be visible ASCII');

const audit = createRoute({
  ...shared,
  method: 'get',
  path: '/admin/audit',
  summary: 'The audit log, newest first',
  request: {
    query: z.strictObject({
      ...pageQuery,
      action: word.optional(),
      actorId: z.uuid().optional(),
      target: word.optional(),
    }),
  },
  responses: {
    200: jsonAnswer(
      'A page of entries',
      z.object({ items: z.array(auditEntry), nextCursor: z.string().nullable() }).openapi('AuditEntryList'),
    ),
    ...problems(401, 403, 422),
  },
});

export function adminRecordRoutes({ db }: RouteDeps): Router {
  return createRouter()
    .openapi(jobs, async (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query');
      const rows = await listAllJobs(db, { ...filter, limit, after: decodeCursor(cursor) });
      return c.json(
        page(rows, limit, (row) => ({ ...jobBody(row), userId: row.user_id, userEmail: row.userEmail })),
        200,
      );
    })
    .openapi(audit, async (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query');
      const rows = await listAudit(db, { ...filter, limit, after: decodeCursor(cursor) });
      return c.json(
        page(rows, limit, ({ cursorAt: _cursorAt, at, ...entry }) => ({ ...entry, at: at.toISOString() })),
        200,
      );
    });
}
