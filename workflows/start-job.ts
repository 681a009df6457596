import { WorkflowExecutionAlreadyStartedError, type WorkflowClient } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { searchAttributes, taskQueue, workflowId, type JobType } from './contract/jobs.js';

/** A request to Temporal that takes longer than this is left to the sweeper. */
const deadlineMs = 2_000;

/** A review may wait 30 days; the work before and after it takes hours at worst. */
const executionTimeoutMs = 45 * 24 * 3600 * 1000;

/** Bytes of the Web UI's one-line summary that are ours to fill; the server's own limit is 400. */
const summaryBytes = 200;

const jobTypeKey = defineSearchAttributeKey(searchAttributes.jobType, SearchAttributeType.KEYWORD);
const userIdKey = defineSearchAttributeKey(searchAttributes.userId, SearchAttributeType.KEYWORD);

export interface JobStart {
  id: string;
  type: JobType;
  userId: string;
  /** The row's `workflow_input`: ids and options, nothing bulky. */
  input: unknown;
  /** Shown to operators in the Web UI; any text, it is shortened and loses its markup. */
  title: string;
}

/** Temporal did not take the job now. The row stays unsubmitted, so the sweeper starts it later. */
export class JobNotSubmittedError extends Error {
  constructor(jobId: string, cause: unknown) {
    super(`Temporal did not take job ${jobId}`, { cause });
    this.name = 'JobNotSubmittedError';
  }
}

/**
 * Starts the workflow of a job whose row is committed. Client-side code, not part of the workflow bundle: the
 * API calls it right after its transaction and the sweeper for rows that are still unsubmitted. The workflow
 * id is the job id and duplicates are rejected, even of a finished workflow, so both may call it and the job
 * runs once; `already_started` is as good as `started`. The caller then sets the row's `submitted_at`.
 *
 * @throws JobNotSubmittedError within about two seconds when Temporal is away or refuses.
 */
export async function startJob(
  client: WorkflowClient,
  job: JobStart,
): Promise<'started' | 'already_started'> {
  const title = plainLine(job.title);
  try {
    const starting = client.withDeadline(Date.now() + deadlineMs, () =>
      client.start(job.type, {
        workflowId: workflowId(job.id),
        taskQueue: taskQueue('orchestration'),
        args: [job.input],
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        workflowIdConflictPolicy: 'FAIL',
        workflowExecutionTimeout: executionTimeoutMs,
        // Handed on to activities and children: a queue serves users by turns, not whoever asked for most.
        priority: { fairnessKey: job.userId },
        typedSearchAttributes: [
          { key: jobTypeKey, value: job.type },
          { key: userIdKey, value: job.userId },
        ],
        memo: { title },
        staticSummary: withinBytes(`${job.type}: ${title}`, summaryBytes),
        staticDetails: [`type: ${job.type}`, `job: ${job.id}`, `user: ${job.userId}`].join('\n\n'),
      }),
    );
    // The client's own retries outlast its deadline by a pause or two; a late success does no harm.
    await withinMs(deadlineMs, starting);
    return 'started';
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return 'already_started';
    throw new JobNotSubmittedError(job.id, error);
  }
}

async function withinMs(limitMs: number, work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer from Temporal within ${limitMs} ms`));
    }, limitMs);
  });
  try {
    await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** One line without the characters that mean something in Markdown or HTML. */
function plainLine(title: string): string {
  const line = title
    .replace(/[\p{C}\s]+/gu, ' ')
    .replace(/[\\`*_{}[\]<>()#|!~]/g, '')
    .trim();
  return withinBytes(line === '' ? 'untitled' : line, summaryBytes);
}

/** The longest prefix that fits into `bytes` of UTF-8 without cutting a character. */
function withinBytes(line: string, bytes: number): string {
  const encoder = new TextEncoder();
  let length = 0;
  let kept = '';
  for (const character of line) {
    length += encoder.encode(character).byteLength;
    if (length > bytes) return kept;
    kept += character;
  }
  return kept;
}
