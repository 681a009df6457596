import { copyFile } from 'node:fs/promises';
import type { LipSyncProvider } from './lip-sync.js';

/** Leaves the mouth as it is. */
export function createNoLipSync(): LipSyncProvider {
  return {
    name: 'none',
    version: 1,
    async moveMouth({ clip, outPath }, { signal }) {
      signal.throwIfAborted();
      await copyFile(clip.path, outPath);
      return { clip: { ...clip, path: outPath }, changedFrames: 0 };
    },
  };
}
