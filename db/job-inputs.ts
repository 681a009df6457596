import type { Db } from './database.js';

const artifactId = /^[0-9a-f]{64}\.[a-z0-9]{1,8}$/;

/** Every artifact id that stands anywhere in plain data. */
export function artifactIdsIn(value: unknown): string[] {
  const found = new Set<string>();
  const visit = (part: unknown): void => {
    if (typeof part === 'string' && artifactId.test(part)) found.add(part);
    else if (typeof part === 'object' && part !== null) Object.values(part).forEach(visit);
  };
  visit(value);
  return [...found];
}

/**
 * Notes the files that a job was given, so that they stay as long as it does; in the transaction that gives them.
 * A file that is gone already breaks `job_inputs_artifact_id_fkey`.
 */
export async function recordJobInputs(db: Db, jobId: string, ...given: unknown[]): Promise<void> {
  const ids = artifactIdsIn(given);
  if (ids.length === 0) return;
  await db
    .insertInto('job_inputs')
    .values(ids.map((id) => ({ job_id: jobId, artifact_id: id })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}
