import { isDatabaseAway } from '../db/database-away.js';
import { transientFailure } from './failures.js';

/**
 * What may meet any activity wherever it writes or asks, in words for the job's user: a full disk, a database that
 * is away. Any other error as it is.
 */
export function asHostFailure(error: unknown): unknown {
  if (isDiskFull(error)) {
    return transientFailure({
      code: 'disk_full',
      detail: 'There is no space left for files on the host of this step; free some and try again.',
      cause: error,
    });
  }
  if (isDatabaseAway(error)) {
    return transientFailure({
      code: 'database_unavailable',
      detail: 'The database could not be reached in this step. Please try the job again.',
      cause: error,
    });
  }
  return error;
}

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}
