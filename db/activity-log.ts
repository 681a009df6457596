import { sql, type Selectable } from 'kysely';
import type { Db } from './database.js';
import { cursorAt, isBehind, type Position } from './pages.js';
import type { ActivitiesTable } from './schema.js';

/** What can happen, as `<subject>_<what>`; the statistics count by the subject. */
export const activityTypes = [
  'job_accepted',
  'job_completed',
  'job_failed',
  'job_cancelled',
  'video_created',
  'video_edited',
  'video_renamed',
  'video_deleted',
  'script_created',
  'script_updated',
  'script_deleted',
  'character_created',
  'character_updated',
  'character_deleted',
  'asset_created',
  'asset_deleted',
  'project_created',
  'project_updated',
  'project_deleted',
  'credits_granted',
  'credits_debited',
  'credits_purchased',
  'credits_held',
  'credits_captured',
  'credits_released',
] as const;

export type ActivityType = (typeof activityTypes)[number];

export interface NewActivity {
  userId: string;
  type: ActivityType;
  /** One line for the user; plain text. */
  message: string;
  jobId?: string | null;
  videoId?: string | null;
  scriptId?: string | null;
  characterId?: string | null;
}

/**
 * Tells the user what happened; in the transaction of the change, so that neither stands without the other. A user
 * who is gone is told nothing.
 */
export async function logActivity(trx: Db, activity: NewActivity): Promise<void> {
  const { userId, type, message, scriptId, characterId, videoId, jobId } = activity;
  await sql`
    insert into activities (user_id, type, message, script_id, character_id, video_id, job_id)
    select id, ${type}, ${message}, ${scriptId ?? null}::uuid, ${characterId ?? null}::uuid,
      ${videoId ?? null}::uuid, ${jobId ?? null}::uuid
    from users where id = ${userId}`.execute(trx);
}

export type ActivityRow = Selectable<ActivitiesTable>;

/** Newest first, one row more than `limit` when there is more. */
export function listActivities(
  db: Db,
  userId: string,
  page: { after: Position | undefined; limit: number },
): Promise<(ActivityRow & { cursorAt: string })[]> {
  let query = db
    .selectFrom('activities')
    .selectAll()
    .select(cursorAt('activities'))
    .where('user_id', '=', userId)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit + 1);
  if (page.after !== undefined) query = query.where(isBehind('activities', page.after));
  return query.execute();
}

export interface ActivityCounts {
  scripts: number;
  characters: number;
  videos: number;
  total: number;
  lastAt: Date | null;
}

/** Counted over what has not been cleared. */
export async function countActivities(db: Db, userId: string): Promise<ActivityCounts> {
  const { rows } = await sql<ActivityCounts>`
    select
      count(*) filter (where type like 'script\\_%')::int as scripts,
      count(*) filter (where type like 'character\\_%')::int as characters,
      count(*) filter (where type like 'video\\_%')::int as videos,
      count(*)::int as total,
      max(created_at) as "lastAt"
    from activities where user_id = ${userId}`.execute(db);
  return rows[0] ?? { scripts: 0, characters: 0, videos: 0, total: 0, lastAt: null };
}

/** Answers how many there were. */
export async function clearActivities(db: Db, userId: string): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('activities')
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return Number(numDeletedRows);
}
