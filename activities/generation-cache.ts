import { once } from 'node:events';
import type { Db } from '../db/database.js';
import { findGeneration, saveGeneration } from '../db/generation-cache.js';
import type { CacheName, GenerationCache } from './cached.js';
import { canonicalHash } from './canonical-hash.js';

/**
 * The content cache in PostgreSQL. Producers of one key in one process share one run; between processes both
 * may run, and either result stands.
 */
export function createGenerationCache({ db }: { db: Db }): GenerationCache {
  const running = new Map<string, Promise<unknown>>();

  async function produceAndSave<T>(
    key: string,
    activity: string,
    produce: () => Promise<{ value: T; artifacts: string[] }>,
  ): Promise<T> {
    const { value, artifacts } = await produce();
    await saveGeneration(db, { key, activity, value, artifacts });
    return value;
  }

  return {
    async through<T>(
      name: CacheName,
      produce: () => Promise<{ value: T; artifacts: string[] }>,
      signal?: AbortSignal,
    ) {
      const key = canonicalHash({ activity: name.activity, version: name.version, inputs: name.inputs });
      for (;;) {
        signal?.throwIfAborted();
        const leader = running.get(key);
        if (leader !== undefined) {
          // The leader may fail for reasons of its own, such as its job's cancellation: then this one goes on.
          await settled(leader, signal);
          continue;
        }
        const work = lookUpOrProduce<T>(key, () => produceAndSave(key, name.activity, produce));
        running.set(key, work);
        try {
          return await work;
        } finally {
          running.delete(key);
        }
      }
    },
  };

  async function lookUpOrProduce<T>(key: string, work: () => Promise<T>) {
    const hit = await findGeneration(db, key);
    // The key names the activity and its version, so the value has the shape that this activity wrote.
    if (hit !== undefined) return { value: hit.value as T, cached: true };
    return { value: await work(), cached: false };
  }
}

/** Waits until `work` is over, however it ends; rejects with the reason when `signal` aborts first. */
async function settled(work: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  const over = work.then(
    () => undefined,
    () => undefined,
  );
  if (signal === undefined) return over;
  const wait = new AbortController();
  const aborted = once(signal, 'abort', { signal: wait.signal }).then(
    () => {
      signal.throwIfAborted();
    },
    () => undefined,
  );
  try {
    await Promise.race([over, aborted]);
  } finally {
    wait.abort();
  }
}
