import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, WorkflowClient } from '@temporalio/client';
import { inject, vi } from 'vitest';
import { freePort } from '../../cli/stack/free-port.js';
import { lastLines } from '../../cli/stack/last-lines.js';
import { builtProgram } from '../support/built-program.js';
import { createSupervisor, type SupervisedProcess } from '../../cli/stack/process-supervisor.js';
import { inheritedEnvironment, readConfig } from '../../config.js';
import { migrateUp, openDatabase, type Db } from '../../db/database.js';
import { createStorage } from '../../storage/create-storage.js';
import type { Storage } from '../../storage/storage.js';
import { claimNamespace, createTestDatabase, createTestFolder } from '../support/services.js';
import { createRestClient, type RestClient } from './rest-client.js';
import { findFfmpegs, type SystemProcess } from './system-processes.js';

/** States are waited for, and a busy machine takes its time to reach them. */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 180_000 });

export interface StackSettings {
  /** Worker processes to begin with. */
  workers?: number;
  /** Settings of API and workers beyond the usual ones. */
  env?: Record<string, string>;
  /** Servers of the suite's own; those of the whole run without them. */
  databaseUrl?: string;
  temporalAddress?: string;
  /** Before anything starts. */
  prepare?: (dataDir: string) => Promise<void>;
}

/** API and workers as processes of their own, the programs that users run. */
export interface E2eStack {
  client: RestClient;
  /** Where the API listens. */
  address: string;
  /** What API and workers were started with. */
  env: Record<string, string>;
  db: Db;
  storage: Storage;
  dataDir: string;
  /** The newest API process. */
  api(): SupervisedProcess;
  /** Worker processes that run. */
  workers(): SupervisedProcess[];
  /** Those of them that take work by now. */
  pollingWorkers(): SupervisedProcess[];
  /** On the same port as ever, once it listens. */
  startApi(env?: Record<string, string>): Promise<SupervisedProcess>;
  startWorker(env?: Record<string, string>): Promise<SupervisedProcess>;
  ffmpegs(): SystemProcess[];
  /** Files below the scratch folder, relative to it. */
  scratchFiles(): string[];
  /** How often activities of a job began, by type, from the engine's history. */
  attempts(jobId: string): Promise<Map<string, number[]>>;
  workflowStatus(jobId: string): Promise<string>;
  stop(): Promise<void>;
}

export async function startE2eStack(settings: StackSettings = {}): Promise<E2eStack> {
  const folder = await createTestFolder('e2e');
  const dataDir = folder.path;
  await settings.prepare?.(dataDir);
  const supervisor = createSupervisor();
  const database = await openSchema(settings.databaseUrl);
  const temporalAddress = settings.temporalAddress ?? inject('temporalAddress');
  const namespace = settings.temporalAddress === undefined ? await claimNamespace() : 'default';
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const env: Record<string, string> = {
    DATA_DIR: dataDir,
    PORT: String(port),
    DATABASE_URL: database.url,
    DATABASE_SCHEMA: database.schema,
    DATABASE_POOL_SIZE: '5',
    TEMPORAL_ADDRESS: temporalAddress,
    TEMPORAL_NAMESPACE: namespace,
    FFMPEG_PATH: inject('ffmpegPath'),
    FFPROBE_PATH: inject('ffprobePath'),
    LOG_LEVEL: 'info',
    SIGNUP_CREDITS: '1000',
    SHUTDOWN_GRACE_SECONDS: '5',
    SWEEP_INTERVAL_SECONDS: '1',
    ...settings.env,
  };
  const storage = await createStorage(readConfig(inheritedEnvironment(env)).storage);
  const connection = Connection.lazy({ address: temporalAddress });
  const engine = new WorkflowClient({ connection, namespace });
  const workers: SupervisedProcess[] = [];
  let api: SupervisedProcess | undefined;
  let started = 0;

  function launch(name: string, program: string, extra: Record<string, string> = {}) {
    started += 1;
    return supervisor.start({
      name,
      ...builtProgram(program),
      env: inheritedEnvironment({ ...env, ...extra }),
      logFile: join(dataDir, 'logs', `${name}-${started}.log`),
      stopTimeoutMs: 15_000,
    });
  }
  async function startApi(extra?: Record<string, string>): Promise<SupervisedProcess> {
    const server = await launch('api', 'api/server', extra);
    api = server;
    await answers(server, `${address}/health`);
    return server;
  }
  async function startWorker(extra?: Record<string, string>): Promise<SupervisedProcess> {
    const worker = await launch('worker', 'workers/main', extra);
    workers.push(worker);
    return worker;
  }
  async function stop(): Promise<void> {
    await supervisor.stopAll();
    await connection.close();
    await database.close();
    await folder.remove();
  }

  try {
    await startApi();
    for (let count = settings.workers ?? 1; count > 0; count -= 1) await startWorker();
    await Promise.all(workers.map(polls));
    const client = await createRestClient(address);
    const running = () => workers.filter((worker) => worker.isRunning());
    return {
      client,
      address,
      env,
      db: database.db,
      storage,
      dataDir,
      api() {
        if (api === undefined) throw new Error('there is no API');
        return api;
      },
      workers: running,
      pollingWorkers: () => running().filter(hasPolled),
      startApi,
      startWorker,
      ffmpegs: () =>
        findFfmpegs(
          dataDir,
          running().map((worker) => worker.pid),
        ),
      scratchFiles: () => filesBelow(join(dataDir, 'scratch')),
      attempts: (jobId) => activityAttempts(engine, jobId),
      workflowStatus: async (jobId) => (await engine.getHandle(jobId).describe()).status.name,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function openSchema(url: string | undefined) {
  if (url === undefined) {
    const { db, schema, url: shared, drop } = await createTestDatabase({ poolSize: 3 });
    return { db, schema, url: shared, close: drop };
  }
  const schema = 'callsheet';
  const db = openDatabase({ url, schema, poolSize: 3 }, () => undefined);
  await migrateUp(db, schema);
  return { db, schema, url, close: () => db.destroy() };
}

async function answers(server: SupervisedProcess, url: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const isUp = await fetch(url, { signal: AbortSignal.timeout(5_000) }).then(
      (answer) => answer.ok,
      () => false,
    );
    if (isUp) return;
    if (!server.isRunning() || Date.now() > deadline) {
      throw new Error(`${server.name} does not answer:\n${lastLines(server.logFile)}`);
    }
    await sleep(50);
  }
}

/** Waits until a worker takes work from its first queue; by then it has cleaned up, too. */
async function polls(worker: SupervisedProcess): Promise<void> {
  const deadline = Date.now() + 90_000;
  while (!hasPolled(worker)) {
    if (!worker.isRunning() || Date.now() > deadline) {
      throw new Error(`${worker.name} does not poll:\n${lastLines(worker.logFile)}`);
    }
    await sleep(50);
  }
}

function hasPolled({ logFile }: SupervisedProcess): boolean {
  return readFileSync(logFile, 'utf8').includes('"action":"poll"');
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

async function activityAttempts(engine: WorkflowClient, jobId: string): Promise<Map<string, number[]>> {
  const { events } = await engine.getHandle(jobId).fetchHistory();
  const types = new Map<string, string>();
  const attempts = new Map<string, number[]>();
  for (const event of events ?? []) {
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled) types.set(String(event.eventId), scheduled.activityType?.name ?? '');
    const begun = event.activityTaskStartedEventAttributes;
    if (!begun) continue;
    const type = types.get(String(begun.scheduledEventId)) ?? '';
    attempts.set(type, [...(attempts.get(type) ?? []), begun.attempt ?? 0]);
  }
  return attempts;
}
