import { sql, type Insertable } from 'kysely';
import type { NamedArtifact, ScriptDocument } from '../workflows/contract/documents.js';
import { wholeJob } from '../workflows/contract/prices.js';
import { logActivity } from './activity-log.js';
import { captureHolds } from './credits.js';
import type { Db } from './database.js';
import { lockLiveJob, replaceArtifacts } from './job-ends.js';
import type { JobRow } from './jobs.js';
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

/** What becomes of a video that a job has made. */
export type VideoDelivery =
  | { outcome: 'delivered'; videoId: string }
  /** There is no such job any more, it has ended, or the video that it edits is gone. */
  | { outcome: 'job_missing' | 'job_over' | 'video_gone' };

/**
 * Shows a job's video in the gallery, as a new one or in place of the one that stands, with its files and its price,
 * in one transaction. From then on the job can only end completed, so that a video is never there for nothing and
 * nothing is charged without one. A repeated call changes nothing.
 *
 * @param made.videoId the video that is edited; null for a new one, whose id is then the job's.
 */
export function deliverVideo(
  db: Db,
  owner: VideoOwner,
  made: { videoId: string | null; facts: VideoFacts; artifacts: readonly NamedArtifact[] },
): Promise<VideoDelivery> {
  const { jobId, userId } = owner;
  return db.transaction().execute(async (trx) => {
    const job = await lockLiveJob(trx, jobId);
    const videoId = made.videoId ?? jobId;
    if (job === undefined) return deliveredBefore(trx, jobId, videoId);
    if (job.delivered_at !== null) return { outcome: 'delivered', videoId };

    if (made.videoId === null) await insertVideo(trx, job, made.facts);
    else if (!(await replaceVideo(trx, owner, made.videoId, made.facts))) return { outcome: 'video_gone' };
    await captureHolds(trx, jobId, [wholeJob]);
    await replaceArtifacts(trx, jobId, made.artifacts);
    const { duration_seconds: durationSeconds, bytes } = made.facts;
    await trx
      .updateTable('jobs')
      .set({
        delivered_at: sql<Date>`now()`,
        result: JSON.stringify({ videoId, durationSeconds, bytes }),
      })
      .where('id', '=', jobId)
      .execute();
    await logActivity(trx, {
      userId,
      jobId,
      videoId,
      type: made.videoId === null ? 'video_created' : 'video_edited',
      message: `${made.videoId === null ? 'New video' : 'Video edited'}: ${made.facts.title}`,
    });
    return { outcome: 'delivered', videoId };
  });
}

async function deliveredBefore(trx: Db, jobId: string, videoId: string): Promise<VideoDelivery> {
  const job = await trx.selectFrom('jobs').select('delivered_at').where('id', '=', jobId).executeTakeFirst();
  if (job === undefined) return { outcome: 'job_missing' };
  return job.delivered_at === null ? { outcome: 'job_over' } : { outcome: 'delivered', videoId };
}

async function insertVideo(trx: Db, job: JobRow, facts: VideoFacts): Promise<void> {
  await trx
    .insertInto('videos')
    .values({ ...facts, id: job.id, user_id: job.user_id, project_id: job.project_id, job_id: job.id })
    .execute();
}

/** A video keeps the title and the description that its user may have changed. Answers false when it is gone. */
async function replaceVideo(
  trx: Db,
  owner: VideoOwner,
  videoId: string,
  { title: _title, description: _description, ...facts }: VideoFacts,
): Promise<boolean> {
  const rows = await trx
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
