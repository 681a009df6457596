import { z } from '@hono/zod-openapi';
import { jobDocument } from '../db/job-document.js';
import type { JobRow } from '../db/jobs.js';
import { jobStatuses, jobTypes, stepStatuses } from '../workflows/contract/jobs.js';
import type { ProgressView } from './live-progress.js';

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
export const jobBody: (row: JobRow, live?: ProgressView) => Job = jobDocument;
