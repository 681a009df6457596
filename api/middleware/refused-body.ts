import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import type { AppEnv } from '../context.js';

/**
 * Throws away what is left of a body that somebody opened and refused before its end, such as a form with an unknown
 * part, once the answer is sent. In its paused stream it would block the connection until the server cuts it, under
 * the client's next request. The server gives the rest of a body half a second to come.
 */
export const discardRefusedBody = createMiddleware<AppEnv>(async (c: Context, next) => {
  await next();
  const { incoming, outgoing } = c.env as Partial<HttpBindings>;
  // What nobody opened, Node throws away itself.
  if (incoming === undefined || incoming.readableFlowing === null || incoming.readableEnded) return;
  outgoing?.once('close', () => {
    if (incoming.readableEnded || incoming.destroyed) return;
    // Of the web stream around it, which pauses it whenever nobody reads.
    incoming.removeAllListeners('data');
    incoming.resume();
  });
});
