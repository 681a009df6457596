import type { AssetRow } from '../db/assets.js';
import { ObjectMissingError, type Storage } from '../storage/storage.js';
import { ProblemError } from './errors.js';
import { storageKey } from './serve-object.js';

/**
 * All bytes of an asset that is small by its kind's limit.
 * @throws ProblemError `storage_unavailable`
 */
export async function readAsset(storage: Storage, asset: AssetRow): Promise<Buffer> {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of await storage.read(storageKey(asset.artifact_id))) {
      chunks.push(Buffer.from(chunk as Uint8Array));
    }
    return Buffer.concat(chunks);
  } catch (error) {
    if (error instanceof ObjectMissingError) throw new ProblemError('unknown_asset', { cause: error });
    throw new ProblemError('storage_unavailable', { cause: error });
  }
}
