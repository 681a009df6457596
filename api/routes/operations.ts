import { createRoute, z } from '@hono/zod-openapi';
import { sql } from 'kysely';
import type { RouteDeps } from '../context.js';
import { remembered } from '../remembered.js';
import { createRouter, jsonAnswer, type Router } from '../router.js';
import { withinMs } from '../within-ms.js';

const checkMs = 3_000;

/** Everybody may ask, and each check writes to the storage. */
const rememberMs = 500;

const health = createRoute({
  method: 'get',
  path: '/health',
  tags: ['Operations'],
  summary: 'Whether the process lives',
  security: [],
  responses: {
    200: jsonAnswer('It lives', z.object({ status: z.literal('ok'), uptimeSeconds: z.number() })),
  },
});

const state = z.enum(['up', 'down']);
const readiness = z.object({
  status: z.enum(['ready', 'not_ready']),
  checks: z.object({ database: state, storage: state, temporal: state }),
});

const ready = createRoute({
  method: 'get',
  path: '/ready',
  tags: ['Operations'],
  summary: 'Whether everything that requests need is there',
  security: [],
  responses: {
    200: jsonAnswer('All is there', readiness),
    503: jsonAnswer('Something is missing', readiness),
  },
});

const metrics = createRoute({
  method: 'get',
  path: '/metrics',
  tags: ['Operations'],
  summary: 'Figures for Prometheus',
  security: [],
  responses: { 200: { description: 'The figures', content: { 'text/plain': { schema: z.string() } } } },
});

export function operationRoutes(deps: RouteDeps): Router {
  const { db, storage, jobs, logger } = deps;

  async function probe(name: string, check: () => Promise<unknown>): Promise<'up' | 'down'> {
    try {
      await withinMs(checkMs, check);
      return 'up';
    } catch (error) {
      logger.warn({ stage: 'ready', action: `check ${name}`, success: false, err: error });
      return 'down';
    }
  }

  const checks = remembered(rememberMs, async () => {
    const [database, files, temporal] = await Promise.all([
      probe('database', () => sql`select 1`.execute(db)),
      probe('storage', () => storage.check()),
      probe('temporal', () => jobs.check()),
    ]);
    return { database, storage: files, temporal };
  });

  return createRouter()
    .openapi(health, (c) =>
      c.json({ status: 'ok' as const, uptimeSeconds: Math.round(process.uptime()) }, 200),
    )
    .openapi(ready, async (c) => {
      const found = await checks();
      if (Object.values(found).includes('down')) {
        c.header('retry-after', '5');
        return c.json({ status: 'not_ready' as const, checks: found }, 503);
      }
      return c.json({ status: 'ready' as const, checks: found }, 200);
    })
    .openapi(metrics, async (c) => {
      const { contentType, body } = await deps.metrics.render();
      return c.text(body, 200, { 'content-type': contentType });
    });
}
