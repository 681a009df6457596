import { Connection, WorkflowClient, type ConnectionOptions } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import type { Config } from '../config.js';
import type { Logger } from '../logger.js';
import { retrying } from './retrying.js';

export const defaultTemporalAddress = '127.0.0.1:7233';

export type TemporalSettings = Pick<Config['temporal'], 'address' | 'namespace' | 'apiKey' | 'tls'>;

/** Address, and TLS and key where they are configured, for both kinds of connection. */
export function connectionOptions(settings: TemporalSettings) {
  return {
    address: settings.address ?? defaultTemporalAddress,
    ...(settings.tls ? { tls: true } : {}),
    ...(settings.apiKey === undefined ? {} : { apiKey: settings.apiKey }),
  } satisfies ConnectionOptions;
}

/** Connects as soon as Temporal answers and knows the namespace, however late that is. */
export function connectWorker(
  settings: TemporalSettings,
  logger: Logger,
  signal: AbortSignal,
): Promise<NativeConnection> {
  const options = connectionOptions(settings);
  return retrying(
    async () => {
      const connection = await NativeConnection.connect(options);
      try {
        await connection.workflowService.describeNamespace({ namespace: settings.namespace });
        return connection;
      } catch (error) {
        await connection.close();
        throw error;
      }
    },
    {
      signal,
      onAway: (error) => {
        logger.error({
          stage: 'worker',
          action: 'connect',
          success: false,
          info: {
            message: `Temporal does not answer at ${options.address} for namespace "${settings.namespace}"; start it or set TEMPORAL_ADDRESS. Still trying.`,
            reason: error instanceof Error ? error.message : String(error),
          },
        });
      },
    },
  );
}

/** A client that connects when it is first used and again after Temporal was away. */
export function workflowClient(settings: TemporalSettings): {
  client: WorkflowClient;
  connection: Connection;
} {
  const connection = Connection.lazy({
    ...connectionOptions(settings),
    // No retries of its own: the sweeper comes again, and a retry that outlives `close` ends the process.
    interceptors: [],
    // The usual pauses of up to two minutes would keep a server that is back unseen.
    channelArgs: { 'grpc.initial_reconnect_backoff_ms': 200, 'grpc.max_reconnect_backoff_ms': 2_000 },
  });
  return { client: new WorkflowClient({ connection, namespace: settings.namespace }), connection };
}
