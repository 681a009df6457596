import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import { recordArtifact, type ArtifactRow } from '../db/artifacts.js';
import type { Db } from '../db/database.js';
import { forgetGenerations } from '../db/generation-cache.js';
import { ObjectMissingError, type Storage } from '../storage/storage.js';
import type { ArtifactId } from '../workflows/contract/documents.js';
import type { ArtifactStore } from './artifacts.js';
import { contentTypeOf } from './content-types.js';
import { invalidInput, transientFailure } from './failures.js';
import { createHostCache } from './host-cache.js';
import { asHostFailure } from './host-failures.js';

const idPattern = /^([0-9a-f]{64})\.[a-z0-9]{1,8}$/;

/** Storage key of an artifact. */
export const artifactKey = (id: ArtifactId): string => `artifacts/${id}`;

export interface ArtifactStoreDeps {
  storage: Pick<Storage, 'putFile' | 'takeFile' | 'putBytes' | 'head' | 'read' | 'localPath'>;
  db: Db;
  /** Folder of the copies on this host; unused when the storage is a local folder itself. */
  cacheDir: string;
  maxCacheBytes: number;
}

/**
 * Artifacts in storage, known by the `artifacts` table. A file is in storage before its row is written, so a
 * row promises a file. What storage refuses becomes a transient failure; a missing file is final.
 */
export function createArtifactStore({
  storage,
  db,
  cacheDir,
  maxCacheBytes,
}: ArtifactStoreDeps): ArtifactStore {
  const cache = createHostCache({ dir: cacheDir, maxBytes: maxCacheBytes });

  async function publish(artifact: ArtifactRow, put: () => Promise<void>): Promise<ArtifactId> {
    await withStorage(put);
    await recordArtifact(db, artifact);
    // A collector may have removed the same content from before, and with it what was just put.
    const stored = await withStorage(() => storage.head(artifactKey(artifact.id)));
    if (stored === undefined) await withStorage(put);
    return artifact.id;
  }

  async function fetch(id: ArtifactId): Promise<string> {
    const sha256 = idPattern.exec(id)?.[1];
    if (sha256 === undefined) throw missing(new Error('not the name of an artifact'));
    const key = artifactKey(id);
    try {
      const local = storage.localPath(key);
      if (local === undefined) return await cache.get(id, sha256, () => storage.read(key));
      await access(local);
      return local;
    } catch (error) {
      // Or the next job would be led to the lost file again, however often it is started anew.
      if (isMissing(error)) await forgetGenerations(db, [id]);
      throw storageFailure(error);
    }
  }

  async function publishBytes(bytes: Uint8Array, extension: string): Promise<ArtifactId> {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const id = `${sha256}.${extension}`;
    const contentType = contentTypeOf(extension);
    return publish({ id, sha256, bytes: bytes.byteLength, contentType }, () =>
      storage.putBytes(artifactKey(id), bytes, contentType),
    );
  }

  const readBytes = async (id: ArtifactId) => {
    const path = await fetch(id);
    return withStorage(() => readFile(path));
  };

  return {
    fetch,
    publishBytes,
    readBytes,
    async publishFile(path, extension, { sha256: taken, isSpare = false } = {}) {
      const sha256 = taken ?? (await hashFile(path));
      const id = `${sha256}.${extension}`;
      const key = artifactKey(id);
      const contentType = contentTypeOf(extension);
      const { size } = await stat(path);
      const isLocal = storage.localPath(key) !== undefined;
      await publish({ id, sha256, bytes: size, contentType }, () =>
        isLocal && isSpare
          ? storage.takeFile(key, path, contentType).catch(asGone)
          : storage.putFile(key, path, contentType),
      );
      if (!isLocal) await cache.adopt(id, path);
      return id;
    },
    publishJson: (value) => publishBytes(Buffer.from(JSON.stringify(value)), 'json'),
    async readJson<T>(id: ArtifactId) {
      // Only our own activities publish JSON, under a name that is its hash.
      return JSON.parse((await readBytes(id)).toString('utf8')) as T;
    },
  };
}

/** A file that was moved into storage and collected there at that moment is to be made again. */
function asGone(error: unknown): never {
  if (!isMissing(error)) throw error;
  throw transientFailure({
    code: 'storage_unavailable',
    detail: 'A file was removed from storage while it was published.',
    cause: error,
  });
}

/** Each read waits for a thread of its own, so few large ones. */
const hashedAtOnce = 1024 * 1024;

/** sha256 in hex of a file, read as a stream. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: hashedAtOnce }))
    hash.update(chunk as Buffer);
  return hash.digest('hex');
}

async function withStorage<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storageFailure(error);
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof ObjectMissingError ||
  (error instanceof Error && 'code' in error && error.code === 'ENOENT');

function storageFailure(error: unknown): unknown {
  if (isMissing(error)) return missing(error);
  // Of this host, which has words of its own for it.
  if (asHostFailure(error) !== error) return asHostFailure(error);
  return transientFailure({
    code: 'storage_unavailable',
    detail: 'The file storage cannot be reached or used right now.',
    cause: error,
  });
}

function missing(cause: unknown) {
  return invalidInput({
    code: 'artifact_missing',
    detail: 'A file that this step needs is no longer in storage; start the job again to make it anew.',
    cause,
  });
}
