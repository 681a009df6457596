import { createMiddleware } from 'hono/factory';
import type { AppEnv } from '../context.js';

const always = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
};

/** What a route does not say itself: nothing is kept by caches, and an answer that is shown runs nothing. */
const unlessSet = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
};

export const securityHeaders = createMiddleware<AppEnv>(async (c, next) => {
  await next();
  for (const [name, value] of Object.entries(always)) c.header(name, value);
  for (const [name, value] of Object.entries(unlessSet)) {
    if (!c.res.headers.has(name)) c.header(name, value);
  }
});
