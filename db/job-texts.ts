import type { Db } from './database.js';

/** The user's own words for a job; they stand in its row and never in a workflow's history. */
export interface JobTexts {
  prompt: string | null;
  source: string | null;
  title: string | null;
}

/** Undefined when there is no such job of this user. */
export async function readJobTexts(
  db: Db,
  job: { jobId: string; userId: string },
): Promise<JobTexts | undefined> {
  const row = await db
    .selectFrom('jobs')
    .select('parameters')
    .where('id', '=', job.jobId)
    .where('user_id', '=', job.userId)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { prompt, source, title } = row.parameters;
  return { prompt: textOrNull(prompt), source: textOrNull(source), title: textOrNull(title) };
}

const textOrNull = (value: unknown) => (typeof value === 'string' ? value : null);
