import { Context } from '@temporalio/activity';
import { z } from 'zod';
import type { HeartbeatDetail } from '../workflows/contract/jobs.js';

/** Often enough that a cancellation arrives within seconds; the SDK throttles what is more. */
const intervalMs = 1_000;

export interface Pulse {
  /** How far the item is, 0–1; sent with the next beat. */
  report(fraction: number, message?: string): void;
  /** What an attempt before this one kept by {@link keepOrder}; it stands until another is kept. */
  order: string | undefined;
  /**
   * Keeps the reference of an order at an outside system, sent with every beat from now on: the attempts after this one
   * wait for that order instead of placing it again.
   */
  keepOrder(order: string): void;
  /** Aborts when the job is cancelled or the worker shuts down. */
  signal: AbortSignal;
}

const kept = z.object({ order: z.string().min(1).max(200) });

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
  const before = kept.safeParse(context.info.heartbeatDetails);
  const order = before.success ? before.data.order : undefined;
  // The first beat already takes the place of what the attempt before has left.
  const detail: HeartbeatDetail = { step, item, fraction: 0, ...(order === undefined ? {} : { order }) };
  const beat = () => {
    context.heartbeat({ ...detail });
  };
  beat();
  const timer = setInterval(beat, intervalMs);
  try {
    return await work({
      signal: context.cancellationSignal,
      order,
      report(fraction, message) {
        detail.fraction = Math.min(1, Math.max(detail.fraction, fraction));
        if (message !== undefined) detail.message = message;
      },
      keepOrder(placed) {
        detail.order = placed;
        beat();
      },
    });
  } finally {
    clearInterval(timer);
  }
}
