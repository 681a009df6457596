import {
  ActivityFailure,
  ApplicationFailure,
  isCancellation,
  TemporalFailure,
  TimeoutFailure,
} from '@temporalio/workflow';
import type { JobError } from './contract/jobs.js';

/** A step's failure, put into the words of the job's record. Thrown by workflows, never by activities. */
export class StepFailure extends Error {
  constructor(
    readonly jobError: JobError,
    cause: Error,
  ) {
    super(jobError.detail, { cause });
    this.name = 'StepFailure';
  }
}

/**
 * The job ends here by somebody's decision other than a cancel, such as a rejected script. `jobError` says
 * why.
 */
export class JobStopped extends Error {
  constructor(readonly jobError: JobError) {
    super(jobError.detail);
    this.name = 'JobStopped';
  }
}

/**
 * Whether an error is the engine's word on an activity or a cancel. Anything else is a fault in workflow code,
 * which must block the workflow until it is mended rather than fail the job.
 */
export function isEngineFailure(error: unknown): error is TemporalFailure {
  return error instanceof TemporalFailure;
}

/** What the user is told: the activity's own words where it spoke to users, a general sentence otherwise. */
export function toJobError(error: TemporalFailure, step: string | null): JobError {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof TimeoutFailure) return timedOut(cause, step);
  if (isCancellation(cause)) {
    return {
      code: 'interrupted',
      detail: 'The step was interrupted from outside. Please try the job again.',
      step,
      retryable: true,
    };
  }
  return (
    spokenError(cause, step) ?? {
      code: 'internal',
      detail: 'Something unexpected went wrong in this step. Operators find it under the job id.',
      step,
      retryable: true,
    }
  );
}

/** Which attempt a step's activity failed with, where its worker could still say so; 1 otherwise. */
export function attemptOf(error: TemporalFailure): number {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  const last = cause instanceof TimeoutFailure ? cause.cause : cause;
  if (!(last instanceof ApplicationFailure)) return 1;
  const told = last.details?.find(
    (detail): detail is { attempt: number } =>
      typeof detail === 'object' &&
      detail !== null &&
      'attempt' in detail &&
      typeof detail.attempt === 'number',
  );
  return told?.attempt ?? 1;
}

function timedOut(timeout: TimeoutFailure, step: string | null): JobError {
  const before = timeout.cause === undefined ? undefined : spokenError(timeout.cause, step);
  const late: JobError = {
    code: 'step_timed_out',
    detail: 'The step took too long and was given up. Please try the job again.',
    step,
    retryable: true,
  };
  return before ?? late;
}

function spokenError(cause: unknown, step: string | null): JobError | undefined {
  if (!(cause instanceof ApplicationFailure)) return undefined;
  const told: unknown = cause.details?.[0];
  if (!isToldToUsers(told)) return undefined;
  return { code: told.code, detail: told.detail, step, retryable: told.retryable };
}

function isToldToUsers(value: unknown): value is Pick<JobError, 'code' | 'detail' | 'retryable'> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'code' in value &&
    typeof value.code === 'string' &&
    'detail' in value &&
    typeof value.detail === 'string' &&
    'retryable' in value &&
    typeof value.retryable === 'boolean'
  );
}
