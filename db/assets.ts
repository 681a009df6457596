import { sql, type Insertable, type Selectable } from 'kysely';
import type { AssetKind } from '../workflows/contract/assets.js';
import type { Db } from './database.js';
import { cursorAt, isBehind, type Position } from './pages.js';
import type { AssetsTable } from './schema.js';

/** Whose asset it is stands in each query. */
export type AssetRow = Selectable<AssetsTable>;
export type NewAsset = Omit<Insertable<AssetsTable>, 'id' | 'created_at'>;

/**
 * Keeps an asset. A user who has the same bytes as the same kind already gets that asset, moved to the project that is
 * named now, if one is.
 */
export async function keepAsset(db: Db, asset: NewAsset): Promise<{ asset: AssetRow; isNew: boolean }> {
  const { isNew, ...row } = await db
    .insertInto('assets')
    .values(asset)
    .onConflict((conflict) =>
      conflict.constraint('assets_once_a_user').doUpdateSet((eb) => ({
        project_id: eb.fn.coalesce('excluded.project_id', 'assets.project_id'),
      })),
    )
    .returningAll()
    // The system column is 0 in a row that nothing has updated.
    .returning(sql<boolean>`xmax = 0`.as('isNew'))
    .executeTakeFirstOrThrow();
  return { asset: row, isNew };
}

export function findAsset(db: Db, userId: string, id: string): Promise<AssetRow | undefined> {
  return db
    .selectFrom('assets')
    .selectAll()
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .executeTakeFirst();
}

/** Those of the named assets that are the user's own. */
export function findAssets(db: Db, userId: string, ids: readonly string[]): Promise<AssetRow[]> {
  if (ids.length === 0) return Promise.resolve([]);
  return db.selectFrom('assets').selectAll().where('id', 'in', ids).where('user_id', '=', userId).execute();
}

/** Newest first, one row more than `limit` when there is more. */
export function listAssets(
  db: Db,
  userId: string,
  filter: {
    kind?: AssetKind | undefined;
    projectId?: string | undefined;
    after: Position | undefined;
    limit: number;
  },
): Promise<(AssetRow & { cursorAt: string })[]> {
  let query = db
    .selectFrom('assets')
    .selectAll()
    .select(cursorAt('assets'))
    .where('user_id', '=', userId)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(filter.limit + 1);
  if (filter.kind !== undefined) query = query.where('kind', '=', filter.kind);
  if (filter.projectId !== undefined) query = query.where('project_id', '=', filter.projectId);
  if (filter.after !== undefined) query = query.where(isBehind('assets', filter.after));
  return query.execute();
}

/** What was removed; undefined when there was none. Jobs that were given the file keep it. */
export function deleteAsset(db: Db, userId: string, id: string): Promise<AssetRow | undefined> {
  return db
    .deleteFrom('assets')
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .returningAll()
    .executeTakeFirst();
}
