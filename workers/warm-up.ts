import type { Logger } from '../logger.js';

/** Something that a first job would wait for, done once before it comes. */
export type Rehearsal = (signal: AbortSignal) => Promise<unknown>;

/**
 * Does the rehearsals beside the first jobs: nothing waits for them, and one that fails says so in the log and
 * no more, since what it did not prepare is prepared by whoever needs it.
 */
export async function warmUp(
  rehearsals: readonly Rehearsal[],
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const startedAt = performance.now();
  const results = await Promise.allSettled(rehearsals.map((rehearse) => rehearse(signal)));
  if (signal.aborted) return;
  for (const result of results) {
    if (result.status === 'fulfilled') continue;
    logger.warn({ stage: 'worker', action: 'warm up', success: false, err: result.reason });
  }
  const durationMs = Math.round(performance.now() - startedAt);
  logger.info({ stage: 'worker', action: 'warm up', success: true, info: { durationMs } });
}
