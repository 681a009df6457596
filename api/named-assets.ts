import { findAssets, type AssetRow } from '../db/assets.js';
import type { Db } from '../db/database.js';
import type { AssetKind } from '../workflows/contract/assets.js';
import { ProblemError, type FieldError } from './errors.js';

export const soundKinds: readonly AssetKind[] = ['music', 'audio'];

/** An asset that a request names. */
export interface NamedAsset {
  /** Where it stands, e.g. `body.music.assetId`. */
  path: string;
  id: string;
  /** What it may be. */
  kinds: readonly AssetKind[];
}

/**
 * The user's own assets that a request names, in its order; each must be of a kind that fits.
 * @throws ProblemError `unknown_asset` naming each path that is wrong.
 */
export async function resolveAssets(
  db: Db,
  userId: string,
  named: readonly NamedAsset[],
): Promise<AssetRow[]> {
  const found = new Map<string, AssetRow>();
  for (const asset of await findAssets(db, userId, [...new Set(named.map(({ id }) => id))])) {
    found.set(asset.id, asset);
  }
  const errors: FieldError[] = [];
  const assets: AssetRow[] = [];
  for (const { path, id, kinds } of named) {
    const asset = found.get(id);
    if (asset === undefined) errors.push({ path, message: 'there is no such asset' });
    else if (!kinds.includes(asset.kind))
      errors.push({ path, message: `must be of kind ${kinds.join(' or ')}` });
    else assets.push(asset);
  }
  if (errors.length > 0) throw new ProblemError('unknown_asset', { errors });
  return assets;
}
