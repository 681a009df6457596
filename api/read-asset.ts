import type { AssetRow } from '../db/assets.js';
import type { Storage } from '../storage/storage.js';
import { ProblemError } from './errors.js';
import { readStored } from './read-stored.js';

/**
 * All bytes of an asset that is small by its kind's limit.
 * @throws ProblemError `unknown_asset` when its file is gone, `storage_unavailable`
 */
export async function readAsset(storage: Storage, asset: AssetRow): Promise<Buffer> {
  const bytes = await readStored(storage, asset.artifact_id);
  if (bytes === undefined) throw new ProblemError('unknown_asset');
  return bytes;
}
