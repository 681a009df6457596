import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Account } from './account.js';

/** Who asks: an account that logs in by itself, or whoever a token was given to. */
export type Credentials = { account: Account } | { token: string };

export interface HttpClient {
  /**
   * @param path below `/api/v1`
   * @param body a form, or anything that becomes JSON
   * @throws ApiError with what the API refused; Error when it does not answer
   */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
}

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

const session = z.object({ accessToken: z.string() });
const problem = z.object({
  code: z.string(),
  detail: z.string(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});

const requestTimeoutMs = 30_000;
const mostTries = 5;

/** Uses the API as any REST client would: logs in (registers first when the account is new), and again when a token ends. */
export async function createHttpClient(baseUrl: string, credentials: Credentials): Promise<HttpClient> {
  let accessToken = 'token' in credentials ? credentials.token : await logIn(baseUrl, credentials.account);
  return {
    async call(method, path, body, headers = {}) {
      for (let tries = 1; ; tries++) {
        const authorization = { Authorization: `Bearer ${accessToken}` };
        const answer = await send(baseUrl, method, path, body, { ...headers, ...authorization }).catch(
          (error: unknown) => {
            // The stack starts a lost API again within seconds; all our requests may be repeated.
            if (tries >= mostTries)
              throw new Error(`the API at ${baseUrl} does not answer`, { cause: error });
            return undefined;
          },
        );
        if (answer === undefined) {
          await sleep(tries * 1000);
          continue;
        }
        if (answer.ok) return answer;
        if (answer.status === 401 && tries === 1 && 'account' in credentials) {
          accessToken = await logIn(baseUrl, credentials.account);
        } else if ((answer.status === 429 || answer.status === 503) && tries < mostTries) {
          await sleep(waitOf(answer));
        } else {
          throw await refusal(answer);
        }
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
        await sleep(waitOf(answer));
        continue;
      }
      // Registered already, or not known in this database: the other way then.
      if (answer.status === 409 || answer.status === 401) break;
      throw await refusal(answer);
    }
  }
  throw new Error(`the account ${account.email} exists with another password: remove ${account.path}`);
}

const waitOf = (answer: Response): number =>
  Math.min(Number(answer.headers.get('Retry-After') ?? 1), 60) * 1000;

async function send(
  baseUrl: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  const isForm = body instanceof FormData;
  // A long upload or download may take its time.
  const takesTime = isForm || (method === 'GET' && path.endsWith('/download'));
  return await fetch(`${baseUrl}/api/v1${path}`, {
    method,
    headers: {
      ...headers,
      ...(body === undefined || isForm ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(takesTime ? {} : { signal: AbortSignal.timeout(requestTimeoutMs) }),
    ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
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
