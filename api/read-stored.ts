import type { z } from '@hono/zod-openapi';
import { ObjectMissingError, type Storage } from '../storage/storage.js';
import type { ArtifactId } from '../workflows/contract/documents.js';
import { ProblemError } from './errors.js';
import { storageKey } from './serve-object.js';

/**
 * All bytes of a stored file that is small by what it is; undefined when it is gone.
 * @throws ProblemError `storage_unavailable`
 */
export async function readStored(storage: Storage, id: ArtifactId): Promise<Buffer | undefined> {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of await storage.read(storageKey(id))) {
      chunks.push(Buffer.from(chunk as Uint8Array));
    }
    return Buffer.concat(chunks);
  } catch (error) {
    if (error instanceof ObjectMissingError) return undefined;
    throw new ProblemError('storage_unavailable', { cause: error });
  }
}

/**
 * What `schema` knows of a document that a step left; undefined when its file is gone.
 * @throws ProblemError `storage_unavailable`
 */
export async function readDocument<T>(
  storage: Storage,
  id: ArtifactId,
  schema: z.ZodType<T>,
): Promise<T | undefined> {
  const bytes = await readStored(storage, id);
  return bytes && schema.parse(JSON.parse(bytes.toString('utf8')));
}
