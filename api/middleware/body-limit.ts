import { bodyLimit } from 'hono/body-limit';
import { createMiddleware } from 'hono/factory';
import type { AppEnv } from '../context.js';
import { ProblemError } from '../errors.js';

/** Bytes of a JSON body; nothing that we take in JSON needs more. */
const maxBodyBytes = 1024 * 1024;

/** Read as they come, and bounded by whoever reads them. */
const uploads = [
  /^PUT \/api\/v1\/users\/me\/avatar$/,
  /^POST \/api\/v1\/assets$/,
  /^PUT \/api\/v1\/uploads\/[^/]+$/,
];

const limited = bodyLimit({
  maxSize: maxBodyBytes,
  onError: () => {
    throw new ProblemError('body_too_large');
  },
});

/** Bounds every body that is collected in memory before it is looked at. */
export const limitBody = createMiddleware<AppEnv>(async (c, next) =>
  uploads.some((upload) => upload.test(`${c.req.method} ${c.req.path}`)) ? next() : limited(c, next),
);
