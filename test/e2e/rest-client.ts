import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Answer {
  status: number;
  headers: Headers;
  bytes: Buffer;
  /** The body as JSON, for tests to look into; undefined when it is none. */
  json: Json;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a test looks into whatever comes
export type Json = any;

export interface Request {
  method?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

/** Someone who knows nothing but the address of the API. */
export interface RestClient {
  /** `path` below `/api/v1`, or from the root when it begins with `//`. */
  call(path: string, request?: Request): Promise<Answer>;
  /** A POST that must be accepted; gives the job. */
  accepted(path: string, body: unknown, request?: Request): Promise<Json>;
  job(id: string): Promise<Json>;
  /** Polls until `isReached`; an API that is away for a moment is asked again. */
  until(id: string, isReached: (job: Json) => boolean, timeoutMs?: number): Promise<Json>;
  /** Polls until the job is over, however it ends. */
  ended(id: string, timeoutMs?: number): Promise<Json>;
  /** @throws unless the job completes. */
  completed(id: string, timeoutMs?: number): Promise<Json>;
  artifacts(id: string): Promise<Json[]>;
  /** Content of an artifact of the job by its kind. */
  artifact(id: string, kind: string): Promise<Buffer>;
}

const pollMs = 100;
/** What a slow, busy machine may need for a short video. */
const patienceMs = 200_000;
const terminal = ['completed', 'failed', 'cancelled'];

/** Registers an account of its own. */
export async function createRestClient(api: string): Promise<RestClient> {
  const session: { token?: string } = {};

  async function call(path: string, { method, body, headers }: Request = {}): Promise<Answer> {
    const isForm = body instanceof FormData;
    const url = path.startsWith('//') ? `${api}${path.slice(1)}` : `${api}/api/v1${path}`;
    const answer = await fetch(url, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        ...(session.token === undefined ? {} : { authorization: `Bearer ${session.token}` }),
        ...(body === undefined || isForm ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      signal: AbortSignal.timeout(30_000),
      ...(body === undefined
        ? {}
        : { body: isForm || typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    return { status: answer.status, headers: answer.headers, bytes, json: parsed(bytes) };
  }

  async function must(path: string, status: number, request?: Request): Promise<Answer> {
    const answer = await call(path, request);
    if (answer.status !== status) {
      const text = answer.bytes.toString('utf8').slice(0, 500);
      throw new Error(`${request?.method ?? ''} ${path} answered ${answer.status}: ${text}`);
    }
    return answer;
  }

  const account = { email: `${randomUUID()}@example.org`, password: randomUUID() };
  session.token = (await must('/auth/register', 201, { body: account })).json.accessToken;

  const client: RestClient = {
    call,
    accepted: async (path, body, request) =>
      (await must(path, 202, { method: 'POST', ...request, body })).json,
    job: async (id) => (await must(`/jobs/${id}`, 200)).json,
    async until(id, isReached, timeoutMs = patienceMs) {
      const deadline = Date.now() + timeoutMs;
      let last: unknown;
      for (;;) {
        const job = await client.job(id).catch((error: unknown) => {
          last = error;
          return undefined;
        });
        if (job !== undefined) {
          if (isReached(job)) return job;
          last = JSON.stringify(job);
          if (terminal.includes(job.status)) break;
        }
        if (Date.now() > deadline) break;
        await sleep(pollMs);
      }
      throw new Error(`job ${id} did not get there: ${String(last)}`);
    },
    ended: (id, timeoutMs) => client.until(id, (job) => terminal.includes(job.status), timeoutMs),
    completed: (id, timeoutMs) => client.until(id, (job) => job.status === 'completed', timeoutMs),
    artifacts: async (id) => (await must(`/jobs/${id}/artifacts`, 200)).json.items,
    async artifact(id, kind) {
      const found = (await client.artifacts(id)).find((one) => one.kind === kind);
      if (found === undefined) throw new Error(`job ${id} has no ${kind}`);
      return (await must(String(found.url).replace('/api/v1', ''), 200)).bytes;
    },
  };
  return client;
}

function parsed(bytes: Buffer): Json {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
