import { setTimeout as sleep } from 'node:timers/promises';

export interface RetryingOptions {
  /** Ends the attempts; the promise then rejects with its reason. */
  signal: AbortSignal;
  /** Told of a failure that has lasted, at most once in `tellEveryMs`. */
  onAway: (error: unknown) => void;
  firstDelayMs?: number;
  maxDelayMs?: number;
  tellAfterMs?: number;
  tellEveryMs?: number;
}

/** Tries until it succeeds, with growing pauses. */
export async function retrying<T>(attempt: () => Promise<T>, options: RetryingOptions): Promise<T> {
  const { signal, onAway, maxDelayMs = 5_000, tellAfterMs = 5_000, tellEveryMs = 30_000 } = options;
  let delayMs = options.firstDelayMs ?? 250;
  let tellAt = Date.now() + tellAfterMs;
  for (;;) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() >= tellAt) {
        onAway(error);
        tellAt = Date.now() + tellEveryMs;
      }
      await sleep(delayMs, undefined, { signal });
      delayMs = Math.min(maxDelayMs, delayMs * 2);
    }
  }
}
