import { sql } from 'kysely';
import type { Db } from './database.js';

/** How long tries are counted together. */
const windowSeconds = sql.lit(60);

/**
 * Counts one try under each of `keys`, before it is known how it ends, so that tries at the same time count too.
 * Answers with the most tries of any key within its minute, and the seconds until that minute is over.
 */
export async function countLoginTry(
  db: Db,
  keys: readonly string[],
): Promise<{ tries: number; secondsLeft: number }> {
  // In one order, so that two requests never wait for each other.
  const rows = keys.toSorted().map((key) => sql`(${key}, 1, clock_timestamp())`);
  const counted = await sql<{ tries: number; seconds_left: number }>`
    insert into login_tries as seen (key, tries, since) values ${sql.join(rows)}
    on conflict (key) do update set
      tries = case when ${isOver('seen')} then 1 else seen.tries + 1 end,
      since = case when ${isOver('seen')} then excluded.since else seen.since end
    returning tries, ${windowSeconds} - extract(epoch from clock_timestamp() - since)::float as seconds_left
  `.execute(db);
  const [most] = counted.rows.toSorted((a, b) => b.tries - a.tries);
  return { tries: most?.tries ?? 0, secondsLeft: Math.max(1, Math.ceil(most?.seconds_left ?? 1)) };
}

/** Takes a try back that turned out to be the account's owner. */
export async function forgiveLoginTry(db: Db, keys: readonly string[]): Promise<void> {
  await db
    .updateTable('login_tries')
    .set({ tries: sql<number>`greatest(tries - 1, 0)` })
    .where('key', 'in', keys)
    .execute();
}

export async function deleteOldLoginTries(db: Db): Promise<void> {
  await db.deleteFrom('login_tries').where(isOver('login_tries')).execute();
}

const isOver = (table: string) =>
  sql<boolean>`${sql.ref(`${table}.since`)} < clock_timestamp() - make_interval(secs => ${windowSeconds})`;
