import { createHash } from 'node:crypto';
import { recordArtifact } from '../db/artifacts.js';
import type { Db } from '../db/database.js';
import type { Storage } from '../storage/storage.js';
import { ProblemError } from './errors.js';
import { storageKey } from './serve-object.js';

/**
 * Publishes bytes that the API itself made, as the workers publish theirs: named by content, in storage before
 * `refer` runs, so that a row promises a file. The artifact's row and what refers to it are one transaction.
 *
 * @throws ProblemError `storage_unavailable`
 */
export async function publishArtifact<T>(
  { db, storage }: { db: Db; storage: Storage },
  file: { bytes: Buffer; extension: string; contentType: string },
  refer: (trx: Db, artifactId: string) => Promise<T>,
): Promise<T> {
  const { bytes, extension, contentType } = file;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const id = `${sha256}.${extension}`;
  const put = () => storage.putBytes(storageKey(id), bytes, contentType).catch(unavailable);
  await put();
  return db.transaction().execute(async (trx) => {
    await recordArtifact(trx, { id, sha256, bytes: bytes.byteLength, contentType });
    // A collector may have removed the same content from before, and with it what was just put.
    if ((await storage.head(storageKey(id)).catch(unavailable)) === undefined) await put();
    return refer(trx, id);
  });
}

function unavailable(cause: unknown): never {
  throw new ProblemError('storage_unavailable', { cause });
}
