import { createRoute, z } from '@hono/zod-openapi';
import { updateUserNames } from '../../db/users.js';
import type { RouteDeps } from '../context.js';
import { ProblemError } from '../errors.js';
import {
  bearer,
  bodyProblems,
  createRouter,
  jsonAnswer,
  jsonBody,
  problems,
  type Router,
} from '../router.js';
import { toUser, userSchema } from '../user-resource.js';
import { userText } from '../validation.js';

const name = userText(100).nullable().optional();

const namesSchema = z
  .strictObject({ name, firstName: name, lastName: name })
  .refine((names) => Object.keys(names).length > 0, 'needs at least one change')
  .openapi({ minProperties: 1 });

const read = createRoute({
  method: 'get',
  path: '/users/me',
  tags: ['Users'],
  summary: 'Who I am',
  security: bearer,
  responses: { 200: jsonAnswer('The profile', userSchema), ...problems(401) },
});

const change = createRoute({
  method: 'put',
  path: '/users/me',
  tags: ['Users'],
  summary: 'Change my names',
  security: bearer,
  request: { body: jsonBody(namesSchema) },
  responses: { 200: jsonAnswer('The profile', userSchema), ...bodyProblems },
});

export function userRoutes({ db }: RouteDeps): Router {
  return createRouter()
    .openapi(read, (c) => c.json(toUser(c.var.user.row), 200))
    .openapi(change, async (c) => {
      const row = await updateUserNames(db, c.var.user.id, c.req.valid('json'));
      if (row === undefined) throw new ProblemError('unauthorized');
      return c.json(toUser(row), 200);
    });
}
