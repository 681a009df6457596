import { sql } from 'kysely';
import type { Db } from './database.js';

/** Notes that a spoken name of the content cache is one of the user's. Nothing happens where the entry has expired. */
export async function noteNameAudioUse(db: Db, userId: string, key: string): Promise<void> {
  await sql`
    insert into name_audio_uses (key, user_id)
    select key, ${userId}::uuid from generation_cache where key = ${key}
    on conflict do nothing`.execute(db);
}

/**
 * Forgets the names that were said for the user, so that they are said anew. What was also said for others stays, until
 * they have cleared it too: it is they who would wait and pay for it. Answers how many were forgotten.
 */
export async function clearNameAudio(db: Db, userId: string): Promise<number> {
  return db.transaction().execute(async (trx) => {
    const mine = await trx
      .deleteFrom('name_audio_uses')
      .where('user_id', '=', userId)
      .returning('key')
      .execute();
    if (mine.length === 0) return 0;
    const { numDeletedRows } = await trx
      .deleteFrom('generation_cache')
      .where(sql<boolean>`key = any(${mine.map(({ key }) => key)}::text[])`)
      .where(
        sql<boolean>`not exists (select from name_audio_uses as others where others.key = generation_cache.key)`,
      )
      .executeTakeFirst();
    return Number(numDeletedRows);
  });
}
