import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  condition,
  defineQuery,
  setHandler,
} from '@temporalio/workflow';
import { orchestration, orchestrationWithFiles, summarized } from './activity-proxies.js';
import type { NamedArtifact } from './contract/documents.js';
import {
  progressQuery,
  type FromCache,
  type JobError,
  type JobProgress,
  type JobRef,
  type MarkStartedResult,
} from './contract/jobs.js';
import { attemptOf, isEngineFailure, JobStopped, StepFailure, toJobError } from './job-failure.js';
import { ProgressTracker } from './job-progress.js';
import type { PlannedStep } from './step-plan.js';

const progressDefinition = defineQuery<JobProgress>(progressQuery);

/** What a job hands over when it is done. */
export interface JobOutcome<R extends object> {
  result: R;
  artifacts: NamedArtifact[];
}

export interface JobRun {
  ref: JobRef;
  progress: ProgressTracker;
  /** Does `work` as the whole of the named step: its state follows, and its failure names it. */
  step<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Does a part of a step that the caller starts and completes itself; a failure names the step. */
  within<T>(name: string, work: () => Promise<T>): Promise<T>;
}

interface Ending {
  status: 'completed' | 'failed' | 'cancelled';
  result: Record<string, unknown> | null;
  error: JobError | null;
  artifacts: NamedArtifact[];
}

/**
 * The frame of every job workflow: answers the progress query, marks the row started, runs `work`, and always
 * writes the last word, cancelled or not. Ends as the job ended, so that the Web UI shows it: failed jobs
 * throw their typed failure, cancelled ones the cancellation. A stopped job completes with null.
 *
 * @param script counted by the first activity when a job starts from one.
 * @param earlier what the runs before this one reached, of a job that continues as new.
 */
export async function runJob<R extends object>(
  input: JobRef & { script?: string | null },
  plan: readonly PlannedStep[],
  work: (run: JobRun, started: MarkStartedResult) => Promise<JobOutcome<R>>,
  earlier?: { progress: JobProgress; done: Record<string, number> },
): Promise<R | null> {
  const ref: JobRef = { jobId: input.jobId, userId: input.userId };
  const progress = new ProgressTracker(plan, () => new Date().toISOString());
  if (earlier !== undefined) progress.resume(earlier.progress, earlier.done);
  setHandler(progressDefinition, () => progress.snapshot(), {
    description: 'The steps of the job and how far they are.',
  });

  try {
    const script = input.script ?? null;
    const pool = script === null ? orchestration : orchestrationWithFiles;
    const started = await summarized('in_progress', pool.markStarted, { ...ref, script });
    const { result, artifacts } = await work({ ref, progress, ...stepsOf(progress) }, started);
    await finishJob(ref, progress, { status: 'completed', result: plain(result), error: null, artifacts });
    return result;
  } catch (error) {
    // A fault in this code must not end the job: the workflow waits for its repair.
    if (!isEngineFailure(error) && !(error instanceof StepFailure) && !(error instanceof JobStopped)) {
      throw error;
    }
    const nothing = { result: null, artifacts: [] };
    if (isScopeCancelled()) {
      await finishJob(ref, progress, { status: 'cancelled', error: null, ...nothing });
      throw new CancelledFailure('the job was cancelled');
    }
    if (error instanceof JobStopped) {
      await finishJob(ref, progress, { status: 'cancelled', error: error.jobError, ...nothing });
      return null;
    }
    const jobError = error instanceof StepFailure ? error.jobError : toJobError(error, null);
    await finishJob(ref, progress, { status: 'failed', error: jobError, ...nothing });
    throw asWorkflowFailure(jobError, error instanceof StepFailure ? error.cause : error);
  }
}

function plain(result: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(result));
}

/** Writes the last word. A cancel that comes now is too late, and the row must learn of an earlier one. */
async function finishJob(ref: JobRef, progress: ProgressTracker, ending: Ending): Promise<void> {
  if (ending.status !== 'completed') progress.cancelRest();
  const last: JobProgress = { ...progress.snapshot(), status: ending.status };
  await CancellationScope.nonCancellable(() =>
    summarized(ending.status, orchestration.finishJob, { ...ref, ...ending, progress: last }),
  );
  // Only now: whoever reads this status finds result and error in the row.
  progress.status = ending.status;
  await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
}

function stepsOf(progress: ProgressTracker): Pick<JobRun, 'step' | 'within'> {
  const within: JobRun['within'] = async (name, work) => {
    try {
      return await work();
    } catch (error) {
      // A step that ends because its job or a sibling does has not failed.
      if (!isEngineFailure(error) || isScopeCancelled()) throw error;
      const jobError = toJobError(error, name);
      progress.fail(name, jobError.detail, attemptOf(error));
      throw new StepFailure(jobError, error);
    }
  };
  return {
    within,
    step: (name, work) =>
      within(name, async () => {
        progress.start(name);
        const result = await work();
        progress.complete(name);
        return result;
      }),
  };
}

/** Counts an activity of a step when it is done. */
export async function counted<T extends FromCache>(
  progress: ProgressTracker,
  step: string,
  activity: Promise<T>,
): Promise<T> {
  const result = await activity;
  progress.itemDone(step, result);
  return result;
}

/** True when this part of the workflow was cancelled: by the user, or because a sibling failed. */
function isScopeCancelled(): boolean {
  return CancellationScope.current().consideredCancelled;
}

function asWorkflowFailure(error: JobError, cause: unknown): ApplicationFailure {
  return ApplicationFailure.create({
    type: error.code,
    message: error.step === null ? error.detail : `${error.step}: ${error.detail}`,
    nonRetryable: true,
    details: [error],
    ...(cause instanceof Error ? { cause } : {}),
  });
}
