import { CancellationScope } from '@temporalio/workflow';

/** Activities of one step that are scheduled at once; more wait, so that a history grows in steps. */
export const windowSize = 50;

type Guard = <T>(task: () => Promise<T>) => Promise<T>;

/**
 * All of the guarded tasks or none: the first failure cancels the others, nothing is left running when this
 * ends, and it rejects with that failure rather than with a cancellation that it caused.
 */
async function allOrNone<R>(work: (guard: Guard) => Promise<R>): Promise<R> {
  return CancellationScope.cancellable(async () => {
    const scope = CancellationScope.current();
    const running: Promise<unknown>[] = [];
    let first: { error: unknown } | undefined;
    const guard: Guard = (task) => {
      const promise = task().catch((error: unknown) => {
        first ??= { error };
        scope.cancel();
        throw error;
      });
      running.push(promise);
      return promise;
    };
    try {
      return await work(guard);
    } catch (error) {
      await Promise.allSettled(running);
      throw first === undefined ? error : first.error;
    }
  });
}

/** Both at once. */
export function both<A, B>(one: () => Promise<A>, other: () => Promise<B>): Promise<[A, B]> {
  return allOrNone((guard) => Promise.all([guard(one), guard(other)]));
}

/** `work` for every item, at most {@link windowSize} at a time; results in the items' order. */
export function inWindow<I, R>(
  items: readonly I[],
  work: (item: I, index: number) => Promise<R>,
): Promise<R[]> {
  return allOrNone(async (guard) => {
    const queue = items.entries();
    const results = new Map<number, R>();
    const runner = async () => {
      for (const [index, item] of queue) results.set(index, await work(item, index));
    };
    const runners = Array.from({ length: Math.min(windowSize, items.length) }, () => guard(runner));
    await Promise.all(runners);
    return [...results].sort(([a], [b]) => a - b).map(([, result]) => result);
  });
}
