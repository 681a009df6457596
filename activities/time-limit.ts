/**
 * Ends with `signal`, or after `ms` milliseconds with a `TimeoutError`.
 *
 * A composed signal holds its sources weakly, so that a time limit to which nothing else listens can be collected as
 * garbage and then never comes (https://github.com/nodejs/node/issues/57736). A listener of its own keeps it.
 */
export function withTimeLimit(signal: AbortSignal | undefined, ms: number): AbortSignal {
  const limit = AbortSignal.timeout(ms);
  limit.addEventListener('abort', () => undefined, { once: true });
  return AbortSignal.any(signal === undefined ? [limit] : [signal, limit]);
}
