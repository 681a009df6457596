import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashFile } from '../../activities/artifact-store.js';
import type { ArtifactStore } from '../../activities/artifacts.js';
import type { GenerationCache } from '../../activities/cached.js';
import { canonicalHash } from '../../activities/canonical-hash.js';

/** Artifacts in one folder, without the database: for measuring and testing the media side alone. */
export async function createFolderStore(folder: string): Promise<ArtifactStore> {
  await mkdir(folder, { recursive: true });
  const nameOf = (bytes: Uint8Array, extension: string) =>
    `${createHash('sha256').update(bytes).digest('hex')}.${extension}`;
  const publishBytes = async (bytes: Uint8Array, extension: string) => {
    const id = nameOf(bytes, extension);
    await writeFile(join(folder, id), bytes);
    return id;
  };
  return {
    fetch: (id) => Promise.resolve(join(folder, id)),
    publishFile: async (path, extension, { sha256, isSpare = false } = {}) => {
      const id = `${sha256 ?? (await hashFile(path))}.${extension}`;
      await (isSpare ? rename : copyFile)(path, join(folder, id));
      return id;
    },
    publishBytes,
    publishJson: (value) => publishBytes(Buffer.from(JSON.stringify(value)), 'json'),
    readBytes: (id) => readFile(join(folder, id)),
    readJson: async (id) => JSON.parse(await readFile(join(folder, id), 'utf8')),
  };
}

/** Remembers results as long as it lives, and the names of those that it had to make. */
export function createMemoryCache(): GenerationCache & { made: string[] } {
  const values = new Map<string, unknown>();
  const made: string[] = [];
  return {
    made,
    async through<T>(name: { activity: string }, produce: () => Promise<{ value: T }>) {
      const key = canonicalHash(name);
      // Only this function writes under the key, and the name decides the type.
      if (values.has(key)) return { value: values.get(key) as T, cached: true };
      const { value } = await produce();
      values.set(key, value);
      made.push(name.activity);
      return { value, cached: false };
    },
  };
}
