import { Context } from '@temporalio/activity';
import type { HeartbeatDetail } from '../workflows/contract/jobs.js';

/** Often enough that a cancellation arrives within seconds; the SDK throttles what is more. */
const intervalMs = 1_000;

export interface Pulse {
  /** How far the item is, 0–1; sent with the next beat. */
  report(fraction: number, message?: string): void;
  /**
   * Keeps the reference of an order at an outside system, sent with every beat from now on: the attempt after this one
   * finds it in its heartbeat details.
   */
  keepOrder(order: string): void;
  /** Aborts when the job is cancelled or the worker shuts down. */
  signal: AbortSignal;
}

/**
 * Runs `work` with heartbeats sent by a timer, so that a program that prints nothing is still cancelled in
 * time. `item` is the index of this activity among the step's parallel ones.
 */
export async function withHeartbeat<T>(
  step: string,
  item: number,
  work: (pulse: Pulse) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  const detail: HeartbeatDetail = { step, item, fraction: 0 };
  const beat = () => {
    context.heartbeat({ ...detail });
  };
  beat();
  const timer = setInterval(beat, intervalMs);
  try {
    return await work({
      signal: context.cancellationSignal,
      report(fraction, message) {
        detail.fraction = Math.min(1, Math.max(detail.fraction, fraction));
        if (message !== undefined) detail.message = message;
      },
      keepOrder(order) {
        detail.order = order;
        beat();
      },
    });
  } finally {
    clearInterval(timer);
  }
}
