/** What names a piece of work: the same name gives the same result, whoever asked. */
export interface CacheName {
  activity: string;
  /** Raised when the activity's output changes for the same inputs. */
  version: number;
  /** Canonicalised (sorted keys) and hashed: plain data, artifact ids, options. */
  inputs: unknown;
}

/**
 * Content cache over all jobs and users (`generation_cache`). `value` is small plain data; the artifacts that
 * it names must be listed in `artifacts`, so that a collected file makes the entry a miss.
 */
export interface GenerationCache {
  through<T>(
    name: CacheName,
    produce: () => Promise<{ value: T; artifacts: string[] }>,
    /** Ends the wait for another caller that is producing the same; `produce` listens to its own. */
    signal?: AbortSignal,
  ): Promise<{ value: T; cached: boolean }>;
}

/** Thrown by a look into the cache that is not meant to fill it. */
class NotThereError extends Error {}

/** What the cache has under a name; undefined when nobody has made it yet. */
export async function lookUp<T>(
  cache: GenerationCache,
  name: CacheName,
  signal?: AbortSignal,
): Promise<T | undefined> {
  try {
    return (await cache.through<T>(name, () => Promise.reject(new NotThereError()), signal)).value;
  } catch (error) {
    if (error instanceof NotThereError) return undefined;
    throw error;
  }
}
