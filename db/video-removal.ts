import type { Transaction } from 'kysely';
import { releaseJobFiles } from './job-files.js';
import type { Database } from './schema.js';

/** Removes videos from the gallery and lets go of the files of the jobs that made them. */
async function deleteVideos(
  trx: Transaction<Database>,
  userId: string,
  column: 'id' | 'project_id',
  value: string,
): Promise<number> {
  const videos = await trx
    .deleteFrom('videos')
    .where(column, '=', value)
    .where('user_id', '=', userId)
    .returning('id')
    .execute();
  if (videos.length === 0) return 0;
  const ids = videos.map(({ id }) => id);
  const jobs = await trx
    .selectFrom('jobs')
    .select('id')
    .where('user_id', '=', userId)
    // A video has the id of the job that made it first; later jobs name it.
    .where((eb) => eb.or([eb('id', 'in', ids), eb('video_id', 'in', ids)]))
    .execute();
  await releaseJobFiles(
    trx,
    jobs.map(({ id }) => id),
  );
  return ids.length;
}

/** Answers whether there was such a video. */
export const deleteVideo = async (trx: Transaction<Database>, userId: string, id: string): Promise<boolean> =>
  (await deleteVideos(trx, userId, 'id', id)) > 0;

/** Answers how many there were. */
export const deleteVideosOfProject = (
  trx: Transaction<Database>,
  userId: string,
  projectId: string,
): Promise<number> => deleteVideos(trx, userId, 'project_id', projectId);
