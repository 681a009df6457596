import { bodyLimit } from 'hono/body-limit';
import { createMiddleware } from 'hono/factory';
import type { AppEnv } from '../context.js';
import { isForm } from './idempotency.js';
import { ProblemError } from '../errors.js';

/** Bytes of a JSON body; nothing that we take in JSON needs more. */
const maxBodyBytes = 1024 * 1024;

/** Read as they come, and bounded by whoever reads them. */
const uploads = [
  /^PUT \/api\/v1\/users\/me\/avatar$/,
  /^POST \/api\/v1\/assets$/,
  /^PUT \/api\/v1\/uploads\/[^/]+$/,
];

/** Read as they come where they are forms; their JSON is short. */
const forms = [/^POST \/api\/v1\/personalized-videos$/, /^POST \/api\/v1\/convert$/];

const limited = bodyLimit({
  maxSize: maxBodyBytes,
  onError: () => {
    throw new ProblemError('body_too_large');
  },
});

/** Bounds every body that is collected in memory before it is looked at. */
export const limitBody = createMiddleware<AppEnv>(async (c, next) => {
  const operation = `${c.req.method} ${c.req.path}`;
  const takesForm = isForm(c) && forms.some((form) => form.test(operation));
  return takesForm || uploads.some((upload) => upload.test(operation)) ? next() : limited(c, next);
});
