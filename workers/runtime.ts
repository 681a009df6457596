import { DefaultLogger, makeTelemetryFilterString, Runtime, type LogEntry } from '@temporalio/worker';
import type { Logger } from '../logger.js';

/**
 * Routes the SDK's own log through ours and leaves signals to the caller. Once a process, before the first
 * worker or native connection.
 */
export function installRuntime(logger: Logger): void {
  Runtime.install({
    logger: new DefaultLogger('INFO', (entry) => {
      forward(logger, entry);
    }),
    shutdownSignals: [],
    telemetryOptions: {
      logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }) },
    },
  });
}

const known = new Set([
  // The activities' own log lines say this, with the job they belong to.
  'Activity failed',
  // Only the orchestration pool has them.
  'No workflows registered, not polling for workflow tasks',
]);

function forward(logger: Logger, { level, message, meta }: LogEntry): void {
  if (known.has(message)) return;
  const { workflowId, error, ...rest }: Record<string, unknown> = meta ?? {};
  const fields = {
    ...(typeof workflowId === 'string' ? { jobId: workflowId } : {}),
    stage: 'temporal',
    action: message,
    info: plainInfo(rest),
    ...(error === undefined ? {} : { err: error }),
  };
  if (level === 'ERROR') logger.error(fields);
  else if (level === 'WARN') logger.warn(fields);
  else logger.debug(fields);
}

/** Symbols and big integers do not go into JSON. */
function plainInfo(meta: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(meta).map(([key, value]) => [key, typeof value === 'bigint' ? String(value) : value]),
  );
}
