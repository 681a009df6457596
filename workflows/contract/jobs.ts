import type { ArtifactId, NamedArtifact } from './documents.js';

/**
 * What every job has in common, between the API, the workflows and the activities: queues, ids, statuses,
 * progress, and the record kept of it. Plain data only, here and beside it: all of it is also loaded into the
 * workflow sandbox.
 */

export const pools = ['orchestration', 'llm', 'tts', 'lipsync', 'media', 'delivery'] as const;

export type Pool = (typeof pools)[number];

/** Name of the Temporal task queue that a pool's workers poll. */
export const taskQueue = (pool: Pool): string => `callsheet-${pool}`;

/** The workflow id is the job id, so a job can be started twice without running twice. */
export const workflowId = (jobId: string): string => jobId;

export const jobTypes = [
  'explainer',
  'dialogue',
  'personalized',
  'lipsync',
  'conversion',
  'publication',
  'stage',
] as const;

export type JobType = (typeof jobTypes)[number];

export const jobStatuses = [
  'queued',
  'in_progress',
  'awaiting_approval',
  'completed',
  'failed',
  'cancelled',
] as const;

export type JobStatus = (typeof jobStatuses)[number];

export const terminalStatuses: readonly JobStatus[] = ['completed', 'failed', 'cancelled'];

export const stepStatuses = [
  'pending',
  'in_progress',
  'completed',
  'failed',
  'skipped',
  'cancelled',
] as const;

export type StepStatus = (typeof stepStatuses)[number];

/** Keyword search attributes that every job workflow carries, for the Web UI's filters. */
export const searchAttributes = { jobType: 'CallsheetJobType', userId: 'CallsheetUserId' } as const;

/** Name of the query that answers with {@link JobProgress}. */
export const progressQuery = 'progress';

/** Name of the update that answers a review gate; argument {@link ApprovalDecision}. */
export const approvalUpdate = 'approval';

export interface ApprovalDecision {
  approved: boolean;
  /** True when `jobs.edits` holds scene edits that the workflow must apply before it goes on. */
  hasEdits: boolean;
}

/** One step as its user sees it. Times are ISO 8601 UTC; `progress` is 0–100. */
export interface StepState {
  stepName: string;
  status: StepStatus;
  progress: number;
  message: string | null;
  attempt: number;
  startedAt: string | null;
  completedAt: string | null;
  errorMessage: string | null;
  cached: boolean;
}

/**
 * The answer of the progress query. `weights` has one positive number a step and says how much of
 * `overallProgress` (0–100) the step is worth; `parallelItems` says how many activities the running step has
 * in all, so that heartbeat fractions can be added to what the workflow itself knows.
 */
export interface JobProgress {
  status: JobStatus;
  overallProgress: number;
  steps: StepState[];
  weights: number[];
  parallelItems: Record<string, number>;
}

/** What a heartbeat of ours carries: how far one item of one step is, 0–1. */
export interface HeartbeatDetail {
  step: string;
  item: number;
  fraction: number;
  message?: string;
  /** Reference of an order at an outside system, for the attempt that comes after. */
  order?: string;
}

/** Failure as it stands in a job record and in the `details` of an ApplicationFailure. */
export interface JobError {
  code: string;
  detail: string;
  step: string | null;
  retryable: boolean;
}

export interface FromCache {
  cached: boolean;
  /** Which attempt succeeded; the worker adds it to what the activity answers. */
  attempt?: number;
}

export interface JobRef {
  jobId: string;
  userId: string;
}

/** orchestration pool: the last word on a job; what it reports outlives the engine's retention. */
export interface FinishJobInput extends JobRef {
  status: 'completed' | 'failed' | 'cancelled';
  progress: JobProgress;
  result: Record<string, unknown> | null;
  error: JobError | null;
  artifacts: NamedArtifact[];
}

/** orchestration pool: the row says that work began. With `script` the answer counts its scenes. */
export interface MarkStartedInput extends JobRef {
  script: ArtifactId | null;
}

export interface MarkStartedResult {
  /** Null when no script was named. */
  sceneCount: number | null;
  /** Whether the row has scene edits already; histories from before it was asked do not say. */
  hasEdits?: boolean;
}

/** orchestration pool: the row says that the job waits for its user, who can read the artifacts meanwhile. */
export interface MarkAwaitingApprovalInput extends JobRef {
  artifacts: NamedArtifact[];
}
