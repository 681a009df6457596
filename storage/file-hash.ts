import { createHash } from 'node:crypto';
import { createReadStream, type BigIntStats } from 'node:fs';
import { pipeline } from 'node:stream/promises';

const rememberedFiles = 10_000;

/** sha256 in hex of a file, read as a stream. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** sha256 of files that are only ever replaced whole, remembered by what tells one version from the next. */
export function createFileHasher(): (path: string, stats: BigIntStats) => Promise<string> {
  const remembered = new Map<string, Promise<string>>();
  return async (path, stats) => {
    const version = [path, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join('|');
    const known = remembered.get(version) ?? hashFile(path);
    // The newest at the end, so that the first is the one to forget.
    remembered.delete(version);
    remembered.set(version, known);
    const [oldest] = remembered.keys();
    if (remembered.size > rememberedFiles && oldest !== undefined) remembered.delete(oldest);
    try {
      return await known;
    } catch (error) {
      remembered.delete(version);
      throw error;
    }
  };
}
