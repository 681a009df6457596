import { join } from 'node:path';
import { inheritedEnvironment, type Config } from '../../config.js';
import { migrateUp, openDatabase } from '../../db/database.js';
import { checkSurroundings } from './check-surroundings.js';
import { freePort, isPortFree } from './free-port.js';
import { keepRunning } from './keep-running.js';
import { ownProgram } from './own-program.js';
import { startPostgres } from './postgres.js';
import { createSupervisor, type ProcessSpec, type Supervisor } from './process-supervisor.js';
import { claimStack, type StackAddresses } from './stack-record.js';
import { startTemporal } from './temporal.js';
import { findTool } from './tools.js';
import { waitUntilReady } from './wait-until.js';

export interface StackOptions {
  config: Config;
  onLine: (line: string) => void;
  /** Told when a part of the stack cannot be kept running. */
  onBroken: (error: Error) => void;
}

export interface Stack {
  addresses: StackAddresses;
  /** Folder of the logs of every process. */
  logsFolder: string;
  /** Ends every process in the reverse order of their start. */
  stop(): Promise<void>;
}

const usualTemporalPort = 7233;
const readyTimeoutMs = 90_000;

/**
 * Brings everything up on this host: what the configuration does not point elsewhere, then the migrations, the API and the
 * workers. When that fails, what was started is stopped again.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { config, onLine } = options;
  const claim = claimStack(config.dataDir);
  const supervisor = createSupervisor();
  let isStopping = false;
  const stop = async () => {
    isStopping = true;
    await supervisor.stopAll();
    claim.release();
  };
  try {
    await checkSurroundings(config);
    const logsFolder = join(config.dataDir, 'logs');
    const databaseUrl = await bringUpDatabase(config, supervisor, onLine);
    const temporal = await bringUpTemporal(config, supervisor, logsFolder, onLine);
    const api = localAddress(config.api);
    const env = inheritedEnvironment({ DATABASE_URL: databaseUrl, TEMPORAL_ADDRESS: temporal.address });
    const keep = { supervisor, isStopping: () => isStopping, onLine, onGivenUp: options.onBroken };

    const server = await keepRunning(apiSpec(config, env, logsFolder), keep);
    await waitUntilReady(server, () => checkReady(`${api}/ready`), readyTimeoutMs);
    await keepRunning(workersSpec(config, env, logsFolder), keep);
    onLine('API and workers run');

    const addresses = {
      api,
      temporal: temporal.address,
      databaseUrl,
      ...(temporal.webUi === undefined ? {} : { webUi: temporal.webUi }),
    };
    claim.publish(addresses);
    return { addresses, logsFolder, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function bringUpDatabase(
  config: Config,
  supervisor: Supervisor,
  onLine: (line: string) => void,
): Promise<string> {
  let url = config.database.url;
  if (url === undefined) {
    const dir = join(config.dataDir, 'postgres');
    url = (await startPostgres({ dir, port: await freePort(), supervisor })).url;
    onLine('PostgreSQL runs');
  }
  const { schema } = config.database;
  const db = openDatabase({ url, schema, poolSize: 1 }, () => undefined);
  try {
    const done = await migrateUp(db, schema);
    if (done.length > 0) onLine(`database migrated: ${done.join(', ')}`);
  } finally {
    await db.destroy();
  }
  return url;
}

async function bringUpTemporal(
  config: Config,
  supervisor: Supervisor,
  logsFolder: string,
  onLine: (line: string) => void,
): Promise<{ address: string; webUi?: string }> {
  if (config.temporal.address !== undefined) return { address: config.temporal.address };
  const searchPath = inheritedEnvironment()['PATH'] ?? '';
  const cliPath = findTool('temporal', config.temporal.cliPath, searchPath);
  if (cliPath === undefined) {
    throw new Error('the Temporal CLI is missing: run "node cli/setup.mjs start", or set TEMPORAL_CLI');
  }
  const uiPort = config.temporal.uiPort;
  const port = (await isPortFree(usualTemporalPort)) ? usualTemporalPort : await freePort();
  const { namespace } = config.temporal;
  const server = await startTemporal({
    cliPath,
    port,
    uiPort,
    databaseFile: join(config.dataDir, 'temporal.db'),
    namespaces: namespace === 'default' ? [] : [namespace],
    logFile: join(logsFolder, 'temporal.log'),
    supervisor,
  });
  onLine('Temporal runs');
  return { address: server.address, webUi: `http://127.0.0.1:${String(uiPort)}` };
}

function apiSpec(config: Config, env: NodeJS.ProcessEnv, logsFolder: string): ProcessSpec {
  const logFile = join(logsFolder, 'api.log');
  return { name: 'API', ...ownProgram('api/server'), env, logFile, stopTimeoutMs: stopTimeoutMs(config) };
}

function workersSpec(config: Config, env: NodeJS.ProcessEnv, logsFolder: string): ProcessSpec {
  const logFile = join(logsFolder, 'workers.log');
  const program = ownProgram('workers/main');
  return {
    ...{ name: 'worker process', ...program, logFile, stopTimeoutMs: stopTimeoutMs(config) },
    env: { ...fewArenas, ...env },
  };
}

/** glibc keeps freed memory for each thread apart, and the workers' threads come and go. See mallopt(3). */
const fewArenas = { MALLOC_ARENA_MAX: '2' };

/** They may finish what they do; a little more, so that the drain ends by itself. */
const stopTimeoutMs = (config: Config): number => (config.shutdownGraceSeconds + 10) * 1000;

/** How this host reaches a server that may listen on every interface. */
function localAddress({ host, port }: Config['api']): string {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${String(port)}`;
}

async function checkReady(url: string): Promise<void> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  if (!answer.ok) throw new Error(`${url} answered ${String(answer.status)}: ${await answer.text()}`);
}
