import { sql, type RawBuilder } from 'kysely';
import type { Db } from './database.js';

/** Queries over all users' files, for the collector only. */

/** A column that refers to artifacts. */
interface Reference {
  table: string;
  column: string;
}

/**
 * Every column that the database itself knows to refer to artifacts, so that a table that comes later is minded
 * without being named here.
 */
async function references(db: Db): Promise<Reference[]> {
  const { rows } = await sql<Reference>`
    select key.conrelid::regclass::text as table, attribute.attname as column
    from pg_constraint as key
    join pg_attribute as attribute on attribute.attrelid = key.conrelid and attribute.attnum = key.conkey[1]
    where key.contype = 'f' and key.confrelid = 'artifacts'::regclass`.execute(db);
  return rows;
}

/** True of an artifact that neither a row nor a remembered result refers to. */
async function isUnreferenced(db: Db): Promise<RawBuilder<boolean>> {
  const conditions = (await references(db)).map(
    ({ table, column }) =>
      sql<boolean>`not exists (select from ${sql.raw(table)} as owner where owner.${sql.ref(column)} = artifacts.id)`,
  );
  const forgotten = sql<boolean>`not exists (
    select from generation_cache where generation_cache.artifacts @> array[artifacts.id])`;
  return sql<boolean>`${sql.join([...conditions, forgotten], sql` and `)}`;
}

const olderThan = (seconds: number) =>
  sql<boolean>`artifacts.published_at < now() - make_interval(secs => ${seconds})`;

/** Artifacts that nothing refers to and that nobody has made for so long. */
export async function listCollectable(db: Db, graceSeconds: number, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('artifacts')
    .select('id')
    .where(olderThan(graceSeconds))
    .where(await isUnreferenced(db))
    .orderBy('published_at')
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

/**
 * Removes one artifact if it still is what {@link listCollectable} lists: its row is locked, looked at again, and goes
 * with the file. Who publishes the same content meanwhile waits for that, and then sees that the file is gone.
 *
 * @returns whether it was removed.
 */
export async function collectArtifact(
  db: Db,
  id: string,
  graceSeconds: number,
  removeFile: () => Promise<void>,
): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const locked = await trx
      .selectFrom('artifacts')
      .select('id')
      .where('id', '=', id)
      .where(olderThan(graceSeconds))
      .forUpdate()
      .skipLocked()
      .executeTakeFirst();
    if (locked === undefined) return false;
    // Only now: what was referred to before the lock is seen, and nobody can begin to refer to it behind it.
    const unreferenced = await trx
      .selectFrom('artifacts')
      .select('id')
      .where('id', '=', id)
      .where(await isUnreferenced(trx))
      .executeTakeFirst();
    if (unreferenced === undefined) return false;
    await trx.deleteFrom('artifacts').where('id', '=', id).execute();
    await removeFile();
    return true;
  });
}

/**
 * Removes a file that has no row, as a process leaves it that was killed between the two. The row is claimed first, so
 * that who publishes the same content waits.
 *
 * @returns whether there was no row.
 */
export async function collectUnknownFile(
  db: Db,
  id: string,
  removeFile: () => Promise<void>,
): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const claimed = await trx
      .insertInto('artifacts')
      .values({ id, sha256: id.slice(0, 64), bytes: 0, content_type: 'application/octet-stream' })
      .onConflict((conflict) => conflict.doNothing())
      .returning('id')
      .executeTakeFirst();
    if (claimed === undefined) return false;
    await removeFile();
    await trx.deleteFrom('artifacts').where('id', '=', id).execute();
    return true;
  });
}

/** Those of the named artifacts that have a row. */
export async function knownArtifacts(db: Db, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const rows = await db.selectFrom('artifacts').select('id').where('id', 'in', ids).execute();
  return new Set(rows.map(({ id }) => id));
}
