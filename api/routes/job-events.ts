import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRoute, z } from '@hono/zod-openapi';
import { streamSSE, type SSEStreamingApi } from 'hono/streaming';
import type { RouteDeps } from '../context.js';
import { ProblemError } from '../errors.js';
import type { Job } from '../job-resource.js';
import { isTerminal } from '../live-progress.js';
import { userOf } from '../middleware/authenticate.js';
import { bearer, createRouter, problems, type Router } from '../router.js';
import { idParam } from '../validation.js';

const lookEveryMs = 500;

/** Keeps proxies from closing a silent stream; and as often it is asked whether the token is still good. */
const beatEveryMs = 15_000;

const events = createRoute({
  method: 'get',
  path: '/jobs/{id}/events',
  tags: ['Jobs'],
  summary: 'A job on every change',
  description:
    'Server-Sent Events named `job` whose data is the job; ends after a terminal state. With `Last-Event-ID` an unchanged job is not sent again.',
  security: bearer,
  request: {
    params: idParam,
    headers: z.object({ 'last-event-id': z.string().optional() }),
  },
  responses: {
    200: { description: 'The stream', content: { 'text/event-stream': { schema: z.unknown() } } },
    204: { description: 'The job is over and the client has seen it' },
    ...problems(401, 404),
  },
});

export function jobEventRoutes(deps: RouteDeps): Router {
  const { db, views, draining } = deps;
  return createRouter().openapi(events, async (c) => {
    const userId = c.var.user.id;
    const { id } = c.req.valid('param');
    const authorization = c.req.header('authorization');
    const lastSeen = c.req.header('last-event-id');
    const first = await views.get(userId, id);
    if (first === undefined) throw new ProblemError('not_found');
    // The one answer that tells an EventSource not to come back.
    if (isTerminal(first.status) && eventId(first) === lastSeen) return c.body(null, 204);

    // A stream that nobody reads would never end.
    if (c.req.method === 'HEAD') return c.body(null, 200, { 'content-type': 'text/event-stream' });
    c.header('x-accel-buffering', 'no');
    c.header('cache-control', 'no-cache, no-transform');
    return streamSSE(c, async (stream) => {
      const ended = new AbortController();
      const end = () => {
        ended.abort();
      };
      stream.onAbort(end);
      draining.addEventListener('abort', end);
      if (draining.aborted) end();
      try {
        await follow(stream, {
          signal: ended.signal,
          lastSeen,
          look: () => views.get(userId, id),
          mayGoOn: async () => (await userOf(db, authorization))?.row.status === 'active',
        });
      } catch (error) {
        // The client comes back by itself, and then gets an answer that says what is wrong.
        c.var.logger.warn({ jobId: id, action: 'follow job', success: false, err: error });
      } finally {
        draining.removeEventListener('abort', end);
      }
    });
  });
}

interface Following {
  signal: AbortSignal;
  lastSeen: string | undefined;
  look: () => Promise<Job | undefined>;
  mayGoOn: () => Promise<boolean>;
}

async function follow(stream: SSEStreamingApi, following: Following): Promise<void> {
  const { signal, look, mayGoOn } = following;
  let { lastSeen } = following;
  let beatAt = Date.now();
  // Sends the headers at once, and says how soon to come back after a break.
  await stream.write('retry: 2000\n\n');
  while (!signal.aborted) {
    const job = await look();
    if (job === undefined) return;
    const id = eventId(job);
    if (id !== lastSeen) {
      if (!(await mayGoOn())) return;
      await stream.writeSSE({ event: 'job', id, data: JSON.stringify(job) });
      lastSeen = id;
    }
    if (isTerminal(job.status)) return;
    if (Date.now() - beatAt >= beatEveryMs) {
      if (!(await mayGoOn())) return;
      await stream.write(': still here\n\n');
      beatAt = Date.now();
    }
    await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
}

/** The same job has the same id, whichever process tells of it. */
function eventId(job: Job): string {
  return createHash('sha256').update(JSON.stringify(job)).digest('hex').slice(0, 16);
}
