import type { Transaction } from 'kysely';
import { forgetGenerations } from './generation-cache.js';
import type { Database } from './schema.js';

/**
 * Lets go of the files of jobs that are over: what they list, delivered to recipients, were given and left in the
 * cache. The jobs stay as a record; files that something else refers to stay too.
 */
export async function releaseJobFiles(trx: Transaction<Database>, jobIds: readonly string[]): Promise<void> {
  if (jobIds.length === 0) return;
  const listed = await trx
    .deleteFrom('job_artifacts')
    .where('job_id', 'in', jobIds)
    .returning('artifact_id')
    .execute();
  const delivered = await trx
    .selectFrom('job_recipients')
    .select('file_artifact')
    .where('job_id', 'in', jobIds)
    .where('file_artifact', 'is not', null)
    .$narrowType<{ file_artifact: string }>()
    .execute();
  await trx
    .updateTable('job_recipients')
    .set({ file_artifact: null })
    .where('job_id', 'in', jobIds)
    .where('file_artifact', 'is not', null)
    .execute();
  await trx.deleteFrom('job_inputs').where('job_id', 'in', jobIds).execute();
  await forgetGenerations(trx, [
    ...listed.map(({ artifact_id }) => artifact_id),
    ...delivered.map(({ file_artifact }) => file_artifact),
  ]);
}
