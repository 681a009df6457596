import { createMiddleware } from 'hono/factory';
import type { AppEnv } from '../context.js';
import { ProblemError } from '../errors.js';

/** Lets only admins through, before anything of the request is looked at. */
export const requireAdmin = createMiddleware<AppEnv>(async (c, next) => {
  if (c.var.user.role !== 'admin') throw new ProblemError('forbidden');
  await next();
});

/**
 * Lets only a login through, not an API key: one that leaks must not be able to make others, or to lock its
 * owner out. Tells the handler which login it is.
 */
export const requireSession = createMiddleware<AppEnv>(async (c, next) => {
  const { credential } = c.var.user;
  if (credential.kind !== 'session') throw new ProblemError('session_required');
  c.set('familyId', credential.familyId);
  await next();
});
