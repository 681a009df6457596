import { WorkflowNotFoundError, type WorkflowClient } from '@temporalio/client';
import type { Db } from '../db/database.js';
import { recordLost } from '../db/job-sweeps.js';
import { progressQuery, workflowId, type JobProgress, type StepState } from '../workflows/contract/jobs.js';

const describeDeadlineMs = 5_000;
/** A query needs a worker; without one the steps stay as the row has them. */
const queryDeadlineMs = 3_000;

/**
 * Ends a job whose workflow was terminated, timed out or is not known any more, so that it does not run for
 * ever in its user's eyes. Answers whether it was such a job.
 */
export async function closeLostJob(db: Db, client: WorkflowClient, jobId: string): Promise<boolean> {
  const end = await endOf(client, jobId);
  if (end === undefined) return false;
  const steps = await lastSteps(client, jobId);
  return recordLost(
    db,
    jobId,
    { code: 'workflow_terminated', detail: `${end} Please try the job again.`, step: null, retryable: true },
    steps?.map(ended),
  );
}

/** A sentence on how it ended, or undefined while it runs. */
async function endOf(client: WorkflowClient, jobId: string): Promise<string | undefined> {
  try {
    const handle = client.getHandle(workflowId(jobId));
    const { status } = await client.withDeadline(Date.now() + describeDeadlineMs, () => handle.describe());
    switch (status.name) {
      case 'RUNNING':
      case 'PAUSED':
      case 'CONTINUED_AS_NEW':
        return undefined;
      case 'TERMINATED':
        return 'An operator ended the job.';
      case 'TIMED_OUT':
        return 'The job took longer than a job may.';
      default:
        return 'The job ended without saying how.';
    }
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'The engine does not know the job any more.';
    throw error;
  }
}

async function lastSteps(client: WorkflowClient, jobId: string): Promise<StepState[] | undefined> {
  try {
    const progress = await client.withDeadline(Date.now() + queryDeadlineMs, () =>
      client.getHandle(workflowId(jobId)).query<JobProgress>(progressQuery),
    );
    return progress.steps;
  } catch {
    return undefined;
  }
}

function ended(step: StepState): StepState {
  const isOpen = step.status === 'in_progress' || step.status === 'pending';
  return isOpen ? { ...step, status: 'cancelled' } : step;
}
