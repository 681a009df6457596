import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

const job = z.object({
  id: z.string(),
  status: z.string(),
  result: z.object({ videoId: z.string().optional() }).loose().nullable(),
  error: z.object({ detail: z.string() }).loose().nullable(),
});
export type BenchJob = z.infer<typeof job>;

export interface RestClient {
  /** The access token. */
  token: string;
  post(path: string, body: unknown): Promise<BenchJob>;
  patch(path: string, body: unknown): Promise<BenchJob>;
  getJob(id: string): Promise<BenchJob>;
}

/** A page asks about as often; what is added to the time of a job is half of it. */
const pollMs = 200;

/** A client with an account of its own; any answer but 2xx is an error that names the call. */
export async function createRestClient(api: string): Promise<RestClient> {
  const base = `${api}/api/v1`;
  const headers: Record<string, string> = { 'Content-Type': 'application/json' };

  async function call(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await fetch(`${base}${path}`, {
      method,
      headers,
      signal: AbortSignal.timeout(30_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${String(answer.status)} ${text.slice(0, 400)}`);
    return JSON.parse(text);
  }

  const account = { email: `bench-${randomUUID()}@example.org`, password: randomUUID() };
  const { accessToken } = z
    .object({ accessToken: z.string() })
    .parse(await call('POST', '/auth/register', account));
  headers['Authorization'] = `Bearer ${accessToken}`;
  return {
    token: accessToken,
    post: async (path, body) => job.parse(await call('POST', path, body)),
    patch: async (path, body) => job.parse(await call('PATCH', path, body)),
    getJob: async (id) => job.parse(await call('GET', `/jobs/${id}`)),
  };
}

/** Polls as a client would. @throws Error when the job ends otherwise than completed. */
export async function untilCompleted(client: RestClient, id: string): Promise<BenchJob> {
  for (;;) {
    const current = await client.getJob(id);
    if (current.status === 'completed') return current;
    if (current.status === 'failed' || current.status === 'cancelled') {
      throw new Error(`job ${id} ${current.status}: ${current.error?.detail ?? 'no reason given'}`);
    }
    await sleep(pollMs);
  }
}
