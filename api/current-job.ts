import { ProblemError } from './errors.js';
import type { Job } from './job-resource.js';
import type { JobViews } from './job-views.js';

/** The job as it is after a change, whatever was read of it before. @throws ProblemError `not_found` */
export async function currentJob(views: JobViews, userId: string, id: string): Promise<Job> {
  views.forget(userId, id);
  const job = await views.get(userId, id);
  if (job === undefined) throw new ProblemError('not_found');
  return job;
}
