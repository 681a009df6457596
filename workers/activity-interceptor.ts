import { CancelledFailure, type Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { asHostFailure } from '../activities/host-failures.js';
import type { Logger } from '../logger.js';

/** Payloads carry ids and small plain data; more than this is a mistake in our code, not in the input. */
export const maxPayloadBytes = 64 * 1024;

/**
 * Around every activity: one log line with its outcome and duration, the bound on payloads, words for what
 * the host refuses, and the difference between a user's cancel and a worker that shuts down. The latter is a
 * failure that is tried again elsewhere.
 */
export function activityInterceptor(logger: Logger): ActivityInterceptorsFactory {
  return (context) => ({
    inbound: {
      async execute(input, next) {
        const startedAt = performance.now();
        const report = (success: boolean, error?: unknown) => {
          log(logger, context, { success, durationMs: Math.round(performance.now() - startedAt), error });
        };
        try {
          refuseLarge(input.args, 'input');
          const result = await next(input);
          refuseLarge(result, 'result');
          report(true);
          return withAttempt(result, context.info.attempt);
        } catch (error) {
          const told = endedByShutdown(context, error) ? interrupted() : asHostFailure(error);
          if (told instanceof ApplicationFailure) told.details?.push({ attempt: context.info.attempt });
          report(false, told);
          throw told;
        }
      },
    },
  });
}

/** The engine tells no workflow which attempt it was that succeeded, so each answer brings its number along. */
function withAttempt(result: unknown, attempt: number): unknown {
  return typeof result === 'object' && result !== null ? { ...result, attempt } : result;
}

function refuseLarge(value: unknown, what: string): void {
  const bytes = value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value));
  if (bytes <= maxPayloadBytes) return;
  throw ApplicationFailure.nonRetryable(
    `${what} of ${bytes} bytes is over the ${maxPayloadBytes} that a payload may have`,
    'payload_too_large',
  );
}

function endedByShutdown(context: Context, error: unknown): boolean {
  const aborted =
    error instanceof CancelledFailure || (error instanceof Error && error.name === 'AbortError');
  const details = context.cancellationDetails;
  return aborted && details?.workerShutdown === true && !details.cancelRequested;
}

function interrupted(): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'worker_shutdown',
    message: 'the worker shut down before this was done',
    nonRetryable: false,
    nextRetryDelay: 1,
  });
}

interface Outcome {
  success: boolean;
  durationMs: number;
  error: unknown;
}

function log(logger: Logger, { info }: Context, { success, durationMs, error }: Outcome): void {
  const fields = {
    jobId: info.workflowExecution?.workflowId ?? info.activityId,
    stage: info.taskQueue,
    action: info.activityType,
    success,
    info: { attempt: info.attempt, durationMs, ...(success ? {} : { failure: describe(error) }) },
  };
  if (success || error instanceof CancelledFailure) logger.info(fields);
  else logger.warn(fields);
}

function describe(error: unknown): string {
  if (error instanceof ApplicationFailure) return `${error.type ?? 'error'}: ${error.message}`;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
