import { sql, type Insertable, type Selectable } from 'kysely';
import type { Db } from './database.js';
import type { UploadsTable } from './schema.js';

export type UploadRow = Selectable<UploadsTable>;

export async function insertUpload(
  db: Db,
  upload: Omit<Insertable<UploadsTable>, 'asset_id' | 'expires_at'> & { seconds: number },
): Promise<UploadRow> {
  const { seconds, ...row } = upload;
  return db
    .insertInto('uploads')
    .values({ ...row, expires_at: sql<Date>`now() + make_interval(secs => ${seconds})` })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Uploads of a user's that may still be completed. */
export async function countOpenUploads(db: Db, userId: string): Promise<number> {
  const { count } = await db
    .selectFrom('uploads')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('user_id', '=', userId)
    .where('asset_id', 'is', null)
    .where('expires_at', '>', sql<Date>`now()`)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Undefined when there is none, it is another user's, or its time is over. */
export function findUpload(db: Db, userId: string, id: string): Promise<UploadRow | undefined> {
  return db
    .selectFrom('uploads')
    .selectAll()
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .where('expires_at', '>', sql<Date>`now()`)
    .executeTakeFirst();
}

/** The upload that waits for bytes under this token, which is the right to send them unless its user is suspended. */
export function findUploadByToken(db: Db, id: string, tokenHash: string): Promise<UploadRow | undefined> {
  return db
    .selectFrom('uploads')
    .innerJoin('users', 'users.id', 'uploads.user_id')
    .selectAll('uploads')
    .where('uploads.id', '=', id)
    .where('uploads.token_hash', '=', tokenHash)
    .where('uploads.asset_id', 'is', null)
    .where('uploads.expires_at', '>', sql<Date>`now()`)
    .where('users.status', '=', 'active')
    .executeTakeFirst();
}

export async function setUploadAsset(db: Db, id: string, assetId: string): Promise<void> {
  await db.updateTable('uploads').set({ asset_id: assetId }).where('id', '=', id).execute();
}

/** Ends an upload at once; its row stays until its address is worth nothing any more. */
export async function expireUpload(db: Db, id: string): Promise<void> {
  await db
    .updateTable('uploads')
    .set({ expires_at: sql<Date>`least(expires_at, now())` })
    .where('id', '=', id)
    .execute();
}

/**
 * Uploads whose time was over a while ago. What was sent to them has to go as long as their address could be used.
 */
export async function listOverUploads(db: Db, sinceSeconds: number, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('uploads')
    .select('id')
    .where('expires_at', '<', sql<Date>`now() - make_interval(secs => ${sinceSeconds})`)
    .orderBy('expires_at')
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

export async function deleteUpload(db: Db, id: string): Promise<void> {
  await db.deleteFrom('uploads').where('id', '=', id).execute();
}
