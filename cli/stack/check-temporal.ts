import { Connection } from '@temporalio/client';
import type { Config } from '../../config.js';

const connectTimeoutMs = 5_000;

/** gRPC status codes. */
const notFound = 5;
const permissionDenied = 7;
const unauthenticated = 16;

/**
 * Asks a Temporal that runs elsewhere for the namespace, once: workers and API wait for one that is away for as long as
 * it takes, which helps nobody who mistyped its address.
 * @throws Error with one sentence that says what to do
 */
export async function checkTemporal(
  address: string,
  { namespace, tls, apiKey }: Pick<Config['temporal'], 'namespace' | 'tls' | 'apiKey'>,
): Promise<void> {
  try {
    const connection = await Connection.connect({
      address,
      connectTimeout: connectTimeoutMs,
      ...(tls ? { tls } : {}),
      ...(apiKey === undefined ? {} : { apiKey }),
    });
    try {
      await connection.withDeadline(Date.now() + connectTimeoutMs, () =>
        connection.workflowService.describeNamespace({ namespace }),
      );
    } finally {
      await connection.close();
    }
  } catch (error) {
    throw new Error(sentence(codeOf(error), address, namespace), { cause: error });
  }
}

function sentence(code: unknown, address: string, namespace: string): string {
  switch (code) {
    case notFound:
      return `Temporal at ${address} has no namespace "${namespace}": make it there, or set TEMPORAL_NAMESPACE to one that is`;
    case permissionDenied:
    case unauthenticated:
      return `Temporal at ${address} lets nobody in without a valid key: check TEMPORAL_API_KEY and TEMPORAL_NAMESPACE`;
    default:
      return `Temporal does not answer at ${address}: start it there, correct TEMPORAL_ADDRESS (and TEMPORAL_TLS), or unset it to use a server of Callsheet's own`;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
