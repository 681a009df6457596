import { z } from '@hono/zod-openapi';
import type { JobRow } from '../db/jobs.js';
import { jobStatuses, jobTypes, stepStatuses, type StepState } from '../workflows/contract/jobs.js';
import type { ProgressView } from './live-progress.js';
import { mainArtifact } from './main-artifact.js';

const time = z.iso.datetime();

const stepSchema = z
  .object({
    stepName: z.string(),
    status: z.enum(stepStatuses),
    progress: z.number().min(0).max(100),
    message: z.string().nullable(),
    attempt: z.int(),
    startedAt: time.nullable(),
    completedAt: time.nullable(),
    errorMessage: z.string().nullable(),
    cached: z.boolean().openapi({ description: 'All of it came from the cache.' }),
  })
  .openapi('Step');

export const jobSchema = z
  .object({
    id: z.uuid(),
    type: z.enum(jobTypes),
    status: z.enum(jobStatuses),
    parameters: z.record(z.string(), z.unknown()),
    projectId: z.uuid().nullable(),
    overallProgress: z.number().min(0).max(100).openapi({ description: 'Never goes down.' }),
    currentStep: z.string().nullable(),
    totalSteps: z.int(),
    completedSteps: z.int(),
    steps: z.array(stepSchema),
    result: z.record(z.string(), z.unknown()).nullable(),
    error: z
      .object({
        code: z.string(),
        detail: z.string(),
        step: z.string().nullable(),
        retryable: z.boolean(),
      })
      .nullable(),
    credits: z.object({ quoted: z.int(), charged: z.int() }),
    retryOf: z.uuid().nullable(),
    callbackUrl: z.string().nullable(),
    createdAt: time,
    startedAt: time.nullable(),
    completedAt: time.nullable(),
  })
  .openapi('Job');

export type Job = z.infer<typeof jobSchema>;

/** The job as its user sees it; `live` is what the engine says beyond the row. */
export function jobBody(row: JobRow, live?: ProgressView): Job {
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
    result: row.result === null ? null : withAddresses(row.id, row.result),
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

function rowProgress(row: JobRow): ProgressView {
  const overallProgress = row.status === 'completed' ? 100 : Math.round(row.overall_progress * 10) / 10;
  return { status: row.status, overallProgress, steps: row.steps };
}

const artifactList = z.array(z.looseObject({ kind: z.string(), artifact: z.string() }));

/** Adds the addresses of what the job made. */
function withAddresses(id: string, result: Record<string, unknown>): Record<string, unknown> {
  const base = `/api/v1/jobs/${id}`;
  const listed = artifactList.safeParse(result['artifacts']);
  if (!listed.success) return { ...result, downloadUrl: `${base}/download` };
  const artifacts = listed.data.map((item) => ({ ...item, url: `${base}/artifacts/${item.artifact}` }));
  const hasMain = mainArtifact(artifacts) !== undefined;
  return { ...result, artifacts, ...(hasMain ? { downloadUrl: `${base}/download` } : {}) };
}
