import { sql } from 'kysely';
import type { Db } from '../../db/database.js';
import { findGeneration, forgetGeneration, saveGeneration } from '../../db/generation-cache.js';
import type { CacheName } from '../cached.js';
import { canonicalHash } from '../canonical-hash.js';

export interface ClonedVoice {
  voiceId: string;
  requiresVerification: boolean;
}

/** Voices that were cloned at outside systems. */
export interface VoiceClones {
  /** The voice of that name, made if it is not known. */
  through(name: CacheName, make: () => Promise<ClonedVoice>): Promise<ClonedVoice>;
  /** The outside system has it no more. */
  forget(name: CacheName): Promise<void>;
}

/**
 * Clones are kept in the content cache, but made by one worker at a time over all hosts: an account has room for a few
 * voices only, and no vendor knows a request again.
 */
export function createVoiceClones(db: Db): VoiceClones {
  // One connection a voice and process, however many wait for it.
  const running = new Map<string, Promise<ClonedVoice>>();

  async function found(on: Db, key: string): Promise<ClonedVoice | undefined> {
    const known = await findGeneration(on, key);
    // The key names who wrote the value, and so its shape.
    return known && (known.value as ClonedVoice);
  }

  return {
    async through(name, make) {
      const key = canonicalHash(name);
      for (;;) {
        const known = await found(db, key);
        if (known !== undefined) return known;
        const leader = running.get(key);
        if (leader === undefined) break;
        // The leader may fail for reasons of its own, such as its job's cancellation: then this one goes on.
        await leader.catch(() => undefined);
      }
      const work = db.transaction().execute(async (trx) => {
        await sql`select pg_advisory_xact_lock(hashtextextended(${key}, 0))`.execute(trx);
        // Another host may have made it meanwhile.
        const made = await found(trx, key);
        if (made !== undefined) return made;
        const value = await make();
        await saveGeneration(trx, { key, activity: name.activity, value, artifacts: [] });
        return value;
      });
      running.set(key, work);
      try {
        return await work;
      } finally {
        running.delete(key);
      }
    },
    forget: (name) => forgetGeneration(db, canonicalHash(name)),
  };
}
