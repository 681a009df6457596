import { sql } from 'kysely';
import type { Db } from './database.js';

/** How stale `last_used_at` may get: a popular entry is then written to once an hour, not at every hit. */
const touchInterval = sql.lit('1 hour');

/** The value under `key`, or undefined when there is none or one of its artifacts is gone. */
export async function findGeneration(db: Db, key: string): Promise<{ value: unknown } | undefined> {
  const row = await db
    .selectFrom('generation_cache as entry')
    .select(['entry.value', sql<boolean>`entry.last_used_at < now() - ${touchInterval}::interval`.as('idle')])
    .where('entry.key', '=', key)
    .where(
      sql<boolean>`not exists (
        select from unnest(entry.artifacts) as wanted (id)
        where not exists (select from artifacts where artifacts.id = wanted.id))`,
    )
    .executeTakeFirst();
  if (row === undefined) return undefined;
  if (row.idle) {
    const touched = await db
      .updateTable('generation_cache')
      .set({ last_used_at: new Date() })
      .where('key', '=', key)
      .returning('key')
      .executeTakeFirst();
    // It expired meanwhile, and what it names may be collected under the caller's hands.
    if (touched === undefined) return undefined;
  }
  return { value: row.value };
}

/** Makes every entry that names one of the artifacts a miss, because its file was lost or is no longer wanted. */
export async function forgetGenerations(db: Db, artifacts: readonly string[]): Promise<void> {
  if (artifacts.length === 0) return;
  await db
    .deleteFrom('generation_cache')
    .where(sql<boolean>`artifacts && ${[...artifacts]}::text[]`)
    .execute();
}

/** Makes the entry a miss. */
export async function forgetGeneration(db: Db, key: string): Promise<void> {
  await db.deleteFrom('generation_cache').where('key', '=', key).execute();
}

/** Forgets what nobody has used for so long. Answers how much that was. */
export async function expireGenerations(db: Db, unusedSeconds: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('generation_cache')
    .where('last_used_at', '<', sql<Date>`now() - make_interval(secs => ${unusedSeconds})`)
    .executeTakeFirst();
  return Number(numDeletedRows);
}

/** Writes an entry; whoever comes last of two equal producers stays, which is as good as the first. */
export async function saveGeneration(
  db: Db,
  entry: { key: string; activity: string; value: unknown; artifacts: string[] },
): Promise<void> {
  await db
    .insertInto('generation_cache')
    .values({
      key: entry.key,
      activity: entry.activity,
      value: JSON.stringify(entry.value),
      artifacts: entry.artifacts,
    })
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet((row) => ({
        value: row.ref('excluded.value'),
        artifacts: row.ref('excluded.artifacts'),
        last_used_at: new Date(),
      })),
    )
    .execute();
}
