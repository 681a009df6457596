import { randomUUID } from 'node:crypto';
import { createMiddleware } from 'hono/factory';
import { matchedRoutes } from 'hono/route';
import type { Logger } from '../../logger.js';
import type { AppEnv } from '../context.js';
import type { Metrics } from '../metrics.js';

const acceptable = /^[A-Za-z0-9._-]{1,64}$/;

/** Gives each request an id, a logger that carries it, a log line and a place in the histogram. */
export function requestContext({ logger, metrics }: { logger: Logger; metrics: Metrics }) {
  return createMiddleware<AppEnv>(async (c, next) => {
    const given = c.req.header('x-request-id');
    const requestId = given !== undefined && acceptable.test(given) ? given : randomUUID();
    c.set('requestId', requestId);
    c.set('logger', logger.child({ stage: 'http', requestId }));
    c.set('idempotency', undefined);
    const startedAt = performance.now();
    await next();
    c.res.headers.set('x-request-id', requestId);
    const seconds = (performance.now() - startedAt) / 1000;
    // Middleware takes every method; what is left is the route itself, by its pattern.
    const route = matchedRoutes(c).findLast(({ method }) => method !== 'ALL')?.path ?? 'none';
    metrics.observeRequest({ method: c.req.method, route, status: c.res.status, seconds });
    c.var.logger.info({
      action: `${c.req.method} ${route}`,
      success: c.res.status < 500,
      info: { status: c.res.status, durationMs: Math.round(seconds * 1e4) / 10, path: c.req.path },
    });
  });
}
