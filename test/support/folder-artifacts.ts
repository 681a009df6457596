import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactStore } from '../../activities/artifacts.js';
import type { GenerationCache } from '../../activities/cached.js';
import { canonicalHash } from '../../activities/canonical-hash.js';

/** Artifacts in a folder, for tests of single activities. */
export async function folderArtifacts(dir: string): Promise<ArtifactStore> {
  await mkdir(dir, { recursive: true });
  const store: ArtifactStore = {
    fetch: (id) => Promise.resolve(join(dir, id)),
    async publishFile(path, extension) {
      const id = `${createHash('sha256')
        .update(await readFile(path))
        .digest('hex')}.${extension}`;
      await copyFile(path, join(dir, id));
      return id;
    },
    async publishBytes(bytes, extension) {
      const id = `${createHash('sha256').update(bytes).digest('hex')}.${extension}`;
      await writeFile(join(dir, id), bytes);
      return id;
    },
    publishJson: (value) => store.publishBytes(Buffer.from(JSON.stringify(value)), 'json'),
    readBytes: (id) => readFile(join(dir, id)),
    async readJson<T>(id: string) {
      return JSON.parse(await readFile(join(dir, id), 'utf8')) as T;
    },
  };
  return store;
}

/** A generation cache that lasts as long as the test. */
export function memoryCache(): GenerationCache {
  const values = new Map<string, unknown>();
  return {
    async through<T>(name: object, produce: () => Promise<{ value: T; artifacts: string[] }>) {
      const key = canonicalHash(name);
      if (values.has(key)) return { value: values.get(key) as T, cached: true };
      const { value } = await produce();
      values.set(key, value);
      return { value, cached: false };
    },
  };
}
