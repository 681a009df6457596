import { realpathSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createAdaptorServer } from '@hono/node-server';
import { readConfig, type Config } from '../config.js';
import { createSecretBoxOpener } from '../db/credentials-key.js';
import { openDatabase } from '../db/database.js';
import { deleteOldKeys } from '../db/idempotency.js';
import { deleteOldLoginTries } from '../db/login-tries.js';
import { deleteExpiredSessions } from '../db/sessions.js';
import { createLogger, type Logger } from '../logger.js';
import { createStorage } from '../storage/create-storage.js';
import { sweepTemporaryFiles } from '../storage/local-temporary.js';
import { createApp } from './app.js';
import { createJobsClient } from './jobs-client.js';
import { offeredProviders } from './offered-providers.js';

const housekeepingMs = 3600 * 1000;
const longestRequestMs = 6 * 3600 * 1000;
/**
 * How long an idle connection is kept: longer than proxies keep theirs (60 s by default), because a request that meets
 * the end of its connection has no answer.
 */
const idleConnectionMs = 75_000;

export interface RunningServer {
  port: number;
  /** Refuses new connections, ends event streams, lets the rest finish, and closes everything. */
  stop(): Promise<void>;
}

/** config → dependencies → listening. */
export async function startServer(config: Config, logger: Logger): Promise<RunningServer> {
  const { url, schema, poolSize } = config.database;
  if (url === undefined) {
    throw new Error('DATABASE_URL is not set; "npm start" brings up a database of its own');
  }
  const db = openDatabase({ url, schema, poolSize }, (error) => {
    logger.warn({ stage: 'database', action: 'connection lost', success: false, err: error });
  });
  const storage = await createStorage(config.storage);
  const intakeDir = join(config.dataDir, 'intake');
  await mkdir(intakeDir, { recursive: true });
  await sweepTemporaryFiles(intakeDir);
  const { address = '127.0.0.1:7233', namespace, tls, apiKey } = config.temporal;
  const jobs = createJobsClient({ address, namespace, tls, apiKey });
  const drain = new AbortController();
  const app = createApp({
    db,
    storage,
    jobs,
    logger,
    signupCredits: config.signupCredits,
    trustedProxies: config.api.trustedProxies,
    intake: { ...config.intake, dir: intakeDir, ffprobePath: config.tools.ffprobePath },
    allowPrivateCallbacks: config.callbacks.allowPrivate,
    offered: offeredProviders(config),
    openSecretBox: createSecretBoxOpener(config.credentials),
    draining: drain.signal,
  });
  // Five gigabytes take their time; a body that stands still is given up by whoever reads it.
  const server = createAdaptorServer({
    fetch: app.fetch,
    serverOptions: { requestTimeout: longestRequestMs, keepAliveTimeout: idleConnectionMs },
  });

  const housekeeping = setInterval(() => {
    Promise.all([deleteExpiredSessions(db), deleteOldKeys(db), deleteOldLoginTries(db)]).catch(
      (error: unknown) => {
        logger.warn({ stage: 'housekeeping', action: 'forget what is over', success: false, err: error });
      },
    );
  }, housekeepingMs);
  housekeeping.unref();

  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.api.port, config.api.host, () => {
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound.port : config.api.port);
    });
  });
  logger.info({
    stage: 'api',
    action: 'listen',
    success: true,
    info: { url: `http://${config.api.host}:${port}` },
  });

  return {
    port,
    async stop() {
      drain.abort();
      clearInterval(housekeeping);
      await new Promise<void>((resolve) => {
        // Each of those that answer now is idle soon.
        const closing = setInterval(() => {
          if ('closeIdleConnections' in server) server.closeIdleConnections();
        }, 50);
        const limit = setTimeout(() => {
          if ('closeAllConnections' in server) server.closeAllConnections();
        }, config.shutdownGraceSeconds * 1000);
        server.close(() => {
          clearInterval(closing);
          clearTimeout(limit);
          resolve();
        });
      });
      await Promise.allSettled([jobs.close(), db.destroy()]);
      logger.info({ stage: 'api', action: 'stop', success: true });
    },
  };
}

async function main(): Promise<void> {
  const config = readConfig();
  const logger = createLogger({ level: config.logLevel, name: 'api' });
  const running = await startServer(config, logger);
  const stop = () => {
    running.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ stage: 'api', action: 'stop', success: false, err: error });
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

if (isEntry()) {
  main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}

function isEntry(): boolean {
  const started = process.argv[1];
  return started !== undefined && import.meta.url === pathToFileURL(realpathSync(started)).href;
}
