import { OpenAPIHono, z } from '@hono/zod-openapi';
import type { AppEnv } from './context.js';
import { errorCodes, ProblemError } from './errors.js';
import { fieldErrors } from './validation.js';

export type Router = OpenAPIHono<AppEnv>;

/** A router whose refused requests name every path that is wrong. An id that is no id is simply not there. */
export function createRouter(): Router {
  return new OpenAPIHono<AppEnv>({
    defaultHook: (result) => {
      if (result.success) return;
      if (result.target === 'param') throw new ProblemError('not_found');
      const place = result.target === 'json' ? 'body' : result.target;
      throw new ProblemError('validation_failed', { errors: fieldErrors(result.error, place) });
    },
  });
}

const problemSchema = z
  .object({
    type: z.string().openapi({ example: 'urn:callsheet:problem:validation_failed' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(errorCodes),
    status_code: z.int().openapi({ description: 'Repeats `status`.' }),
    timestamp: z.iso.datetime(),
    requestId: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .openapi('Problem');

const meanings = {
  400: 'The request cannot be read',
  401: 'No valid access token',
  402: 'Too few credits',
  403: 'Not allowed',
  404: 'Not there, or not yours',
  409: 'The state does not allow it',
  413: 'Body too large',
  415: 'Not JSON',
  416: 'Range outside the file',
  422: 'The request does not fit',
  429: 'Too many tries; `Retry-After` says when to come back',
  503: 'Something that this needs is down',
} as const;

type ProblemStatus = keyof typeof meanings;

interface ProblemResponse {
  description: string;
  content: { 'application/problem+json': { schema: typeof problemSchema } };
}

/**
 * The error answers of a route, to be spread into its `responses`. Where a token is needed there may be one of a
 * suspended account, so 401 brings 403.
 */
export function problems<S extends ProblemStatus>(...statuses: S[]): Record<S, ProblemResponse> {
  const all: ProblemStatus[] = statuses.some((status) => status === 401) ? [...statuses, 403] : statuses;
  const entries = all.map((status) => [
    status,
    { description: meanings[status], content: { 'application/problem+json': { schema: problemSchema } } },
  ]);
  return Object.fromEntries(entries) as Record<S, ProblemResponse>;
}

/** What every route with a JSON body may answer besides. */
export const bodyProblems = problems(400, 401, 413, 415, 422);

/** A required JSON body. */
export function jsonBody<T extends z.ZodType>(schema: T) {
  return { required: true, content: { 'application/json': { schema } } } as const;
}

/** A JSON answer. */
export function jsonAnswer<T extends z.ZodType>(description: string, schema: T) {
  return { description, content: { 'application/json': { schema } } } as const;
}

/** A file as an answer, with the partial answer and the unchanged one; `contentType` is a range where it is the file’s own. */
export function fileAnswers(contentType: string) {
  const content = { [contentType]: { schema: z.string().openapi({ format: 'binary' }) } };
  return {
    200: { description: 'The file', content },
    206: { description: 'The part that was asked for', content },
    304: { description: 'Not changed' },
  } as const;
}

export const bearer = [{ bearer: [] }];
