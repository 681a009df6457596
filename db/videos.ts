import { sql, type Selectable } from 'kysely';
import type { Db } from './database.js';
import { liveStatuses } from './job-status.js';
import { cursorAt, isBehind, type Position } from './pages.js';
import type { VideosTable } from './schema.js';

/** `editing`: a job of this video is under way. */
export type VideoRow = Selectable<VideosTable> & { editing: boolean };

function ownVideos(db: Db, userId: string) {
  return db
    .selectFrom('videos')
    .selectAll('videos')
    .select(({ or, exists, selectFrom }) => {
      const hasLive = (column: 'jobs.id' | 'jobs.video_id') =>
        exists(
          selectFrom('jobs')
            .select('jobs.id')
            .whereRef(column, '=', 'videos.id')
            .where('jobs.status', 'in', liveStatuses),
        );
      // The job that made it ends a little after it shows it here, and lists its files once more.
      return or([hasLive('jobs.video_id'), hasLive('jobs.id')]).as('editing');
    })
    .where('videos.user_id', '=', userId);
}

export async function findVideo(db: Db, userId: string, id: string): Promise<VideoRow | undefined> {
  const row = await ownVideos(db, userId).where('videos.id', '=', id).executeTakeFirst();
  return row && { ...row, editing: Boolean(row.editing) };
}

export interface VideoFilter {
  /** Part of the title, in any case. */
  query?: string | undefined;
  projectId?: string | undefined;
  after: Position | undefined;
  limit: number;
}

/** Newest first, one row more than `limit` when there is more. */
export async function listVideos(
  db: Db,
  userId: string,
  filter: VideoFilter,
): Promise<(VideoRow & { cursorAt: string })[]> {
  let query = ownVideos(db, userId)
    .select(cursorAt('videos'))
    .orderBy('videos.created_at', 'desc')
    .orderBy('videos.id', 'desc')
    .limit(filter.limit + 1);
  if (filter.projectId !== undefined) query = query.where('project_id', '=', filter.projectId);
  if (filter.query !== undefined) {
    query = query.where(sql<boolean>`position(lower(${filter.query}::text) in lower(videos.title)) > 0`);
  }
  if (filter.after !== undefined) query = query.where(isBehind('videos', filter.after));
  const rows = await query.execute();
  return rows.map((row) => ({ ...row, editing: Boolean(row.editing) }));
}

/** Changes just what is given. Answers whether there was such a video. */
export async function renameVideo(
  db: Db,
  userId: string,
  id: string,
  change: { title?: string | undefined; description?: string | undefined },
): Promise<boolean> {
  const rows = await db
    .updateTable('videos')
    .set({ ...change, updated_at: new Date() })
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .returning('id')
    .execute();
  return rows.length > 0;
}
