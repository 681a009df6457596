import { ApplicationFailure } from '@temporalio/common';
import type { JobError } from '../workflows/contract/jobs.js';

interface FailureDetail {
  /** Stable snake_case word; it becomes the job's `error.code`. */
  code: string;
  /** One sentence for the user: what is wrong and, where it helps, what to do. No paths, no secrets. */
  detail: string;
  cause?: unknown;
}

/** The input is wrong and no retry can help. */
export function invalidInput({ code, detail, cause }: FailureDetail): ApplicationFailure {
  return ApplicationFailure.create({
    type: code,
    message: detail,
    nonRetryable: true,
    details: [{ code, detail, step: null, retryable: false } satisfies JobError],
    ...causeOf(cause),
  });
}

/** Something outside failed for now; the engine tries again, after `retryAfterSeconds` where it is known. */
export function transientFailure(
  failure: FailureDetail & { retryAfterSeconds?: number },
): ApplicationFailure {
  const { code, detail, cause, retryAfterSeconds } = failure;
  return ApplicationFailure.create({
    type: code,
    message: detail,
    nonRetryable: false,
    details: [{ code, detail, step: null, retryable: true } satisfies JobError],
    ...(retryAfterSeconds === undefined ? {} : { nextRetryDelay: Math.ceil(retryAfterSeconds * 1000) }),
    ...causeOf(cause),
  });
}

function causeOf(cause: unknown): { cause?: Error } {
  return cause instanceof Error ? { cause } : {};
}
