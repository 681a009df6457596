import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import type { Account } from './account.js';

const session = z.object({ accessToken: z.string() });
const problem = z.object({
  code: z.string(),
  detail: z.string(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});

const step = z.object({
  stepName: z.string(),
  status: z.enum(['pending', 'in_progress', 'completed', 'failed', 'skipped', 'cancelled']),
  progress: z.number(),
  message: z.string().nullable(),
  cached: z.boolean(),
  startedAt: z.string().nullable(),
  completedAt: z.string().nullable(),
});
const job = z.object({
  id: z.string(),
  status: z.enum(['queued', 'in_progress', 'awaiting_approval', 'completed', 'failed', 'cancelled']),
  overallProgress: z.number(),
  steps: z.array(step),
  result: z
    .object({ durationSeconds: z.number().optional(), bytes: z.number().optional() })
    .loose()
    .nullable(),
  error: z.object({ code: z.string(), detail: z.string(), step: z.string().nullable() }).nullable(),
});
export type Job = z.infer<typeof job>;
export type JobStep = z.infer<typeof step>;

/** What the API refused, in its own words. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export interface ApiClient {
  generateVideo(body: Record<string, unknown>, idempotencyKey: string): Promise<Job>;
  getJob(id: string): Promise<Job>;
  cancelJob(id: string): Promise<void>;
  /** Saves the job's main result; the file appears complete or not at all. */
  download(id: string, path: string): Promise<void>;
}

const requestTimeoutMs = 30_000;
const mostTries = 5;

/** Uses the API as any REST client would: logs in (registers first when the account is new), and again when a token ends. */
export async function createApiClient(baseUrl: string, account: Account): Promise<ApiClient> {
  let accessToken = await logIn(baseUrl, account);

  async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    for (let tries = 1; ; tries++) {
      const authorization = { Authorization: `Bearer ${accessToken}` };
      const answer = await send(baseUrl, method, path, body, { ...headers, ...authorization }).catch(
        (error: unknown) => {
          // The stack starts a lost API again within seconds; all our requests may be repeated.
          if (tries >= mostTries) throw new Error(`the API at ${baseUrl} does not answer`, { cause: error });
          return undefined;
        },
      );
      if (answer === undefined) {
        await sleep(tries * 1000);
        continue;
      }
      if (answer.ok) return answer;
      if (answer.status === 401 && tries === 1) {
        accessToken = await logIn(baseUrl, account);
      } else if ((answer.status === 429 || answer.status === 503) && tries < mostTries) {
        await sleep(Math.min(Number(answer.headers.get('Retry-After') ?? 1), 60) * 1000);
      } else {
        throw await refusal(answer);
      }
    }
  }

  return {
    async generateVideo(body, idempotencyKey) {
      const headers = { 'Idempotency-Key': idempotencyKey };
      return job.parse(await (await call('POST', '/videos/generate', body, headers)).json());
    },
    getJob: async (id) => job.parse(await (await call('GET', `/jobs/${id}`)).json()),
    async cancelJob(id) {
      await call('DELETE', `/jobs/${id}`);
    },
    async download(id, path) {
      const answer = await call('GET', `/jobs/${id}/download`);
      if (answer.body === null) throw new Error('the API sent no video');
      const draft = `${path}.part`;
      try {
        await pipeline(Readable.fromWeb(answer.body), createWriteStream(draft));
        await rename(draft, path);
      } finally {
        await rm(draft, { force: true });
      }
    },
  };
}

async function logIn(baseUrl: string, account: Account): Promise<string> {
  const credentials = { email: account.email, password: account.password };
  for (const path of account.isNew ? ['/auth/register', '/auth/login'] : ['/auth/login', '/auth/register']) {
    for (let tries = 1; ; tries++) {
      const answer = await send(baseUrl, 'POST', path, credentials);
      if (answer.ok) return session.parse(await answer.json()).accessToken;
      if (answer.status === 429 && tries < mostTries) {
        await sleep(Math.min(Number(answer.headers.get('Retry-After') ?? 1), 60) * 1000);
        continue;
      }
      // Registered already, or not known in this database: the other way then.
      if (answer.status === 409 || answer.status === 401) break;
      throw await refusal(answer);
    }
  }
  throw new Error(`the account ${account.email} exists with another password: remove ${account.path}`);
}

async function send(
  baseUrl: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return await fetch(`${baseUrl}/api/v1${path}`, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
    // A long download may take its time.
    ...(method === 'GET' && path.endsWith('/download')
      ? {}
      : { signal: AbortSignal.timeout(requestTimeoutMs) }),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function refusal(answer: Response): Promise<ApiError> {
  const text = await answer.text();
  const parsed = problem.safeParse(jsonOr(text));
  if (!parsed.success)
    return new ApiError(answer.status, 'unknown', `the API answered ${String(answer.status)}`);
  const { code, detail, errors = [] } = parsed.data;
  const paths = errors.map((error) => `\n  ${error.path}: ${error.message}`).join('');
  return new ApiError(answer.status, code, `${detail}${paths}`);
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
