import type { Insertable } from 'kysely';
import type { ScriptDocument } from '../workflows/contract/documents.js';
import type { Db } from './database.js';
import type { VideosTable } from './schema.js';

/** What a job makes of a video; id, owner and job name the row. */
export type VideoFacts = Omit<
  Insertable<VideosTable>,
  'id' | 'user_id' | 'project_id' | 'job_id' | 'created_at' | 'updated_at'
>;

export interface VideoOwner {
  jobId: string;
  userId: string;
}

/**
 * Puts a job's video into the gallery. The row's id is the job's, so that a repeated write makes one row.
 * Undefined when there is no such job any more.
 */
export async function insertVideoOfJob(
  db: Db,
  owner: VideoOwner,
  facts: VideoFacts,
): Promise<string | undefined> {
  const id = owner.jobId;
  const job = await db
    .selectFrom('jobs')
    .select('project_id')
    .where('id', '=', owner.jobId)
    .executeTakeFirst();
  if (job === undefined) return undefined;
  await db
    .insertInto('videos')
    .values({ ...facts, id, user_id: owner.userId, project_id: job.project_id, job_id: owner.jobId })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
  return id;
}

/** Shows a job's video in place of the one that stands. Answers false when that is gone. */
export async function replaceVideo(
  db: Db,
  owner: VideoOwner,
  videoId: string,
  facts: Omit<VideoFacts, 'title' | 'description'>,
): Promise<boolean> {
  const rows = await db
    .updateTable('videos')
    .set({ ...facts, job_id: owner.jobId, updated_at: new Date() })
    .where('id', '=', videoId)
    .where('user_id', '=', owner.userId)
    .returning('id')
    .execute();
  return rows.length > 0;
}

/** The video that stands, as a script whose scenes can be edited. Undefined when it is gone or not the user's. */
export async function readVideoScript(
  db: Db,
  userId: string,
  videoId: string,
): Promise<ScriptDocument | undefined> {
  const row = await db
    .selectFrom('videos')
    .select(['title', 'description', 'language', 'scenes'])
    .where('id', '=', videoId)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return row && { ...row, message: null };
}
