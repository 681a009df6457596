import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createAdaptorServer } from '@hono/node-server';
import { inject } from 'vitest';
import { createApp } from '../../api/app.js';
import type { IntakeSettings } from '../../api/context.js';
import { offeredProviders, type OfferedProviders } from '../../api/offered-providers.js';
import { createJobsClient, type JobsClient } from '../../api/jobs-client.js';
import { createSecretBoxOpener } from '../../db/credentials-key.js';
import type { Db } from '../../db/database.js';
import { readConfig } from '../../config.js';
import { createLogger } from '../../logger.js';
import { createLocalStorage } from '../../storage/local.js';
import type { Storage } from '../../storage/storage.js';
import { createTestDatabase, createTestFolder } from '../support/services.js';

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The body as JSON, for tests to look into. */
  json: Json;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a test looks into whatever comes
export type Json = any;

export interface CallOptions {
  method?: string;
  token?: string | undefined;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface TestApi {
  url: string;
  db: Db;
  storage: Storage;
  jobs: JobsClient;
  /** Lines of the log, parsed. */
  log: Json[];
  /** Where uploads lie until they were looked at. */
  intakeDir: string;
  call(path: string, options?: CallOptions): Promise<Answer>;
  /** A user of their own. */
  register(): Promise<{ id: string; email: string; token: string; refreshToken: string }>;
  /** Says that the process is about to end. */
  drain(): void;
  stop(): Promise<void>;
}

export const password = 'correct horse';

/** The real app behind a real HTTP server on a free port, on a schema and a folder of its own. */
export async function startApi(
  options: {
    temporalAddress?: string;
    namespace?: string;
    /** Those of a suite that has them already, and ends them itself. */
    db?: Db;
    storage?: Storage;
    trustedProxies?: number;
    /** So many that most tests need not think of them, without it. */
    signupCredits?: number;
    credentialsKey?: Uint8Array;
    /** Limits of uploads, where a test wants others. */
    intake?: Partial<Pick<IntakeSettings, 'maxBytes' | 'maxSeconds'>>;
    /** As if they were configured; without it what is built in. */
    offered?: OfferedProviders;
  } = {},
): Promise<TestApi> {
  const database = options.db === undefined ? await createTestDatabase() : undefined;
  const db = options.db ?? database?.db;
  if (db === undefined) throw new Error('no database');
  const folder = await createTestFolder('api');
  const storage = options.storage ?? (await createLocalStorage(folder.path));
  const jobs = createJobsClient({
    address: options.temporalAddress ?? inject('temporalAddress'),
    namespace: options.namespace ?? 'default',
    tls: false,
    apiKey: undefined,
  });
  const log: Json[] = [];
  const logger = createLogger(
    { level: 'info', name: 'api' },
    { write: (line: string) => void log.push(JSON.parse(line)) },
  );
  const drain = new AbortController();
  const { trustedProxies = 0, signupCredits = 1_000 } = options;
  const intake = {
    ...readConfig({}).intake,
    ...options.intake,
    dir: join(folder.path, 'intake'),
    ffprobePath: inject('ffprobePath'),
  };
  await mkdir(intake.dir, { recursive: true });
  const app = createApp({
    db,
    storage,
    jobs,
    logger,
    signupCredits,
    trustedProxies,
    intake,
    offered: options.offered ?? offeredProviders(readConfig({})),
    openSecretBox: createSecretBoxOpener({
      key: options.credentialsKey,
      file: options.credentialsKey === undefined ? join(folder.path, 'credentials.key') : undefined,
    }),
    draining: drain.signal,
  });
  const server = createAdaptorServer({ fetch: app.fetch });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  const url = `http://127.0.0.1:${port}`;

  async function call(path: string, { method, token, body, headers }: CallOptions = {}): Promise<Answer> {
    const response = await fetch(`${url}${path}`, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parse(text) };
  }

  let users = 0;
  return {
    url,
    db,
    storage,
    jobs,
    log,
    intakeDir: intake.dir,
    call,
    async register() {
      users += 1;
      const email = `user${users}@example.com`;
      const answer = await call('/api/v1/auth/register', { body: { email, password } });
      const { user, accessToken, refreshToken } = answer.json;
      return { id: user.id, email, token: accessToken, refreshToken };
    },
    drain() {
      drain.abort();
    },
    async stop() {
      drain.abort();
      if ('closeAllConnections' in server) server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await jobs.close();
      await database?.drop();
      await folder.remove();
    },
  };
}

function parse(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
