import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Connection } from '@temporalio/client';
import { searchAttributes } from '../../workflows/contract/jobs.js';
import type { SupervisedProcess, Supervisor } from './process-supervisor.js';
import { waitUntilReady } from './wait-until.js';

export interface TemporalOptions {
  /** The `temporal` program. */
  cliPath: string;
  port: number;
  /** Port of the Web UI; without one there is none. */
  uiPort?: number;
  /** Keeps everything over a restart; in memory when absent. */
  databaseFile?: string;
  /** Made besides `default`. */
  namespaces?: readonly string[];
  logFile: string;
  supervisor: Supervisor;
}

export interface TemporalServer {
  address: string;
  process: SupervisedProcess;
}

/** Starts the official command line's development server with our search attributes and waits until it answers. */
export async function startTemporal(options: TemporalOptions): Promise<TemporalServer> {
  if (options.databaseFile !== undefined) await mkdir(dirname(options.databaseFile), { recursive: true });
  const server = await options.supervisor.start({
    name: 'Temporal',
    command: options.cliPath,
    args: temporalArguments(options),
    logFile: options.logFile,
  });
  const address = `127.0.0.1:${String(options.port)}`;
  const namespaces = ['default', ...(options.namespaces ?? [])];
  await waitUntilReady(server, () => describeNamespaces(address, namespaces), 60_000);
  return { address, process: server };
}

/**
 * A queue in several partitions makes the last tasks of a backlog wait a second or more for a worker that asks at
 * another one. Several are for thousands of tasks a second.
 */
const onePartition = ['Read', 'Write'].map((kind) => `matching.numTaskqueue${kind}Partitions=1`);

/** A backlog is served by turns of those who asked, as their fairness keys say. It is off by default. */
const fairness = ['matching.useNewMatcher=true', 'matching.enableFairness=true'];

export function temporalArguments(
  options: Omit<TemporalOptions, 'supervisor' | 'logFile' | 'cliPath'>,
): string[] {
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(options.port)],
    ...(options.uiPort === undefined ? ['--headless'] : ['--ui-port', String(options.uiPort)]),
    ...(options.databaseFile === undefined ? [] : ['--db-filename', options.databaseFile]),
    ...(options.namespaces ?? []).flatMap((name) => ['--namespace', name]),
    ...Object.values(searchAttributes).flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
    ...[...onePartition, ...fairness].flatMap((value) => ['--dynamic-config-value', value]),
    ...['--log-level', 'warn'],
  ];
}

/** @throws while the server or one of its namespaces is not there. */
async function describeNamespaces(address: string, namespaces: readonly string[]): Promise<void> {
  const connection = await Connection.connect({ address, connectTimeout: 2_000 });
  try {
    for (const namespace of namespaces) await connection.workflowService.describeNamespace({ namespace });
  } finally {
    await connection.close();
  }
}
