import type { JobError, JobStatus, JobType, StepState } from '../workflows/contract/jobs.js';
import type { JobRow } from './jobs.js';
import { mainArtifact } from './main-artifact.js';

/** A job as its user sees it, in the API's answers and in webhooks. Times are ISO 8601 UTC. */
export interface JobDocument {
  id: string;
  type: JobType;
  status: JobStatus;
  parameters: Record<string, unknown>;
  projectId: string | null;
  /** 0–100. */
  overallProgress: number;
  currentStep: string | null;
  totalSteps: number;
  completedSteps: number;
  steps: StepState[];
  result: Record<string, unknown> | null;
  error: JobError | null;
  credits: { quoted: number; charged: number };
  retryOf: string | null;
  callbackUrl: string | null;
  createdAt: string;
  startedAt: string | null;
  completedAt: string | null;
}

/** How far a job is, where something knows it better than the row. */
export interface JobProgressView {
  status: JobStatus;
  /** 0–100, with one decimal. */
  overallProgress: number;
  steps: StepState[];
}

/** The row as its user sees it; `live` is what is known beyond it. */
export function jobDocument(row: JobRow, live?: JobProgressView): JobDocument {
  const { status, overallProgress, steps } = live ?? rowProgress(row);
  const current = steps.find((step) => step.status === 'in_progress' || step.status === 'failed');
  // A job that waits for its user waits with what it made last.
  const reviewed =
    status === 'awaiting_approval' ? steps.findLast((step) => step.status === 'completed') : null;
  return {
    id: row.id,
    type: row.type,
    status,
    parameters: row.parameters,
    projectId: row.project_id,
    overallProgress,
    currentStep: current?.stepName ?? reviewed?.stepName ?? null,
    totalSteps: steps.length,
    completedSteps: steps.filter((step) => step.status === 'completed' || step.status === 'skipped').length,
    steps: steps.map(toStep),
    // What was delivered stands in the row a moment before the job is over.
    result: row.result === null || row.completed_at === null ? null : withAddresses(row, row.result),
    error: row.error,
    credits: { quoted: row.credits_quoted, charged: row.credits_charged },
    retryOf: row.retry_of,
    callbackUrl: row.callback_url,
    createdAt: row.created_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    completedAt: row.completed_at?.toISOString() ?? null,
  };
}

/** In a fixed order of members: the database keeps them in one of its own. */
function toStep(step: StepState): StepState {
  const { stepName, status, progress, message, attempt } = step;
  const { startedAt, completedAt, errorMessage, cached } = step;
  return { stepName, status, progress, message, attempt, startedAt, completedAt, errorMessage, cached };
}

function rowProgress(row: JobRow): JobProgressView {
  const overallProgress = row.status === 'completed' ? 100 : Math.round(row.overall_progress * 10) / 10;
  return { status: row.status, overallProgress, steps: row.steps };
}

/** Adds the addresses of what the job made; a batch that was cancelled tells its counts, and has no archive. */
function withAddresses(
  { id, status }: Pick<JobRow, 'id' | 'status'>,
  result: Record<string, unknown>,
): Record<string, unknown> {
  if (status !== 'completed') return result;
  const base = `/api/v1/jobs/${id}`;
  const listed: unknown = result['artifacts'];
  if (!Array.isArray(listed) || !listed.every(isNamedArtifact)) {
    return { ...result, downloadUrl: `${base}/download` };
  }
  const artifacts = listed.map((item) => ({ ...item, url: `${base}/artifacts/${item.artifact}` }));
  const hasMain = mainArtifact(artifacts) !== undefined;
  return { ...result, artifacts, ...(hasMain ? { downloadUrl: `${base}/download` } : {}) };
}

function isNamedArtifact(value: unknown): value is { kind: string; artifact: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    typeof value.kind === 'string' &&
    'artifact' in value &&
    typeof value.artifact === 'string'
  );
}
