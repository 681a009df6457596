import { randomUUID } from 'node:crypto';
import type { Context } from 'hono';
import { logActivity } from '../db/activity-log.js';
import { InsufficientCredits, placeHolds } from '../db/credits.js';
import { jobTitle } from '../db/job-title.js';
import type { Db } from '../db/database.js';
import { insertJob, markSubmitted, type NewJob } from '../db/jobs.js';
import type { SceneEdit } from '../workflows/contract/documents.js';
import type { JobType } from '../workflows/contract/jobs.js';
import { priceOf, wholeJob } from '../workflows/contract/prices.js';
import type { AppEnv, RouteDeps } from './context.js';
import { isForeignKeyViolation, isUniqueViolation } from './database-errors.js';
import { ProblemError } from './errors.js';
import { jobBody, type Job } from './job-resource.js';
import { unknownProject } from './own-project.js';
import { plannedSteps } from './planned-steps.js';

export interface JobRequest {
  type: JobType;
  /** The validated request, as the job will show it. */
  parameters: Record<string, unknown>;
  /** The workflow's input. */
  input: (ids: { jobId: string; userId: string }) => object;
  /** One line for operators. */
  title: string;
  edits?: SceneEdit[];
  videoId?: string | null;
  /** One of the user's own; checked before. */
  projectId?: string | null;
  retryOf?: string;
  /** What it will deliver, each at its price; the job as a whole without it. */
  items?: readonly string[];
  /** Told when the job is over. */
  callbackUrl?: string | null;
  /** What else is written with the job's row, in its transaction. */
  within?: (trx: Db, jobId: string) => Promise<void>;
}

/**
 * Accepts a job: its row, the hold of what it will cost and the answer to its idempotency key in one transaction,
 * then the start. When the engine does not take it now, the job stays queued and the sweeper starts it.
 *
 * @throws ProblemError `insufficient_credits`, `video_busy`, `unknown_project`, `unknown_asset`, `idempotency_in_flight`
 */
export async function acceptJob(deps: RouteDeps, c: Context<AppEnv>, request: JobRequest): Promise<Job> {
  const { db, jobs, metrics } = deps;
  const userId = c.var.user.id;
  const jobId = randomUUID();
  const input = request.input({ jobId, userId });
  const amount = priceOf(request.type, request.parameters);
  const items = amount === 0 ? [] : (request.items ?? [wholeJob]);
  const row: NewJob = {
    id: jobId,
    user_id: userId,
    type: request.type,
    parameters: JSON.stringify(request.parameters),
    workflow_input: JSON.stringify(input),
    edits: JSON.stringify(request.edits ?? []),
    steps: JSON.stringify(plannedSteps(request.type, input)),
    video_id: request.videoId ?? null,
    project_id: request.projectId ?? null,
    retry_of: request.retryOf ?? null,
    callback_url: request.callbackUrl ?? null,
    credits_quoted: amount * items.length,
  };
  const job = await db
    .transaction()
    .execute(async (trx) => {
      const body = jobBody(await insertJob(trx, row));
      await request.within?.(trx, jobId);
      await logActivity(trx, {
        userId,
        jobId,
        type: 'job_accepted',
        message: `Started: ${jobTitle(request)}`,
      });
      // The balance is locked from here on, so that only what is quick comes behind it.
      await placeHolds(trx, { userId, jobId, holds: items.map((item) => ({ item, amount })) });
      await c.var.idempotency?.complete(trx, 202, body);
      return body;
    })
    .catch((error: unknown) => {
      if (isUniqueViolation(error, 'jobs_one_edit_a_video')) throw new ProblemError('video_busy');
      if (isForeignKeyViolation(error, 'jobs_project_id_fkey')) throw unknownProject();
      if (isForeignKeyViolation(error, 'job_inputs_artifact_id_fkey'))
        throw new ProblemError('unknown_asset');
      if (error instanceof InsufficientCredits) {
        throw new ProblemError('insufficient_credits', { detail: error.message });
      }
      throw error;
    });
  metrics.countAccepted(request.type);
  c.header('location', `/api/v1/jobs/${jobId}`);

  const log = c.var.logger.child({ jobId, stage: 'accept' });
  try {
    await jobs.start({ id: jobId, type: request.type, userId, input, title: request.title });
    const { cancelRequested } = await markSubmitted(db, jobId);
    if (cancelRequested) await jobs.cancel(jobId);
    log.info({ action: 'start workflow', success: true, info: { type: request.type } });
  } catch (error) {
    log.warn({ action: 'start workflow', success: false, err: error, info: { left: 'to the sweeper' } });
  }
  return job;
}
