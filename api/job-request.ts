import { z } from '@hono/zod-openapi';
import type { Db } from '../db/database.js';
import type { JobType } from '../workflows/contract/jobs.js';
import type { JobRequest } from './accept-job.js';
import { belowParameters } from './below-parameters.js';
import type { RouteDeps } from './context.js';
import { ProblemError } from './errors.js';
import { explainerSchema, titleOf, toOptions, type ExplainerParameters } from './explainer-request.js';
import {
  conversionParameters,
  conversionRequest,
  lipsyncParameters,
  lipsyncRequest,
} from './media-job-request.js';
import { assertOwnProject } from './own-project.js';
import { personalizedParameters } from './personalized-job.js';
import { stageParameters, stageTitle, toStageInput, type StageRequest } from './stage-request.js';
import { batchRequest, quoteBatch, type quoteSchema } from './start-batch.js';

const unbuiltTypes = ['dialogue', 'publication'] as const satisfies JobType[];

/** What is said of a job of any type. */
const common = {
  projectId: z.uuid().nullable().default(null),
  callbackUrl: z.url().max(2_000).optional().openapi({
    description:
      'https, on the public Internet. Gets one signed POST (Standard Webhooks) when the job is over, repeated for 24 h until it answers 2xx; the body is `{ type: "job.completed", timestamp, data }` with the job as `data`, or `job.failed`, `job.cancelled`.',
  }),
};

/** The body of `POST /jobs`. */
export const newJobSchema = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('explainer'), parameters: explainerSchema, ...common }),
    z.strictObject({ type: z.literal('stage'), parameters: stageParameters, ...common }),
    z.strictObject({ type: z.literal('personalized'), parameters: personalizedParameters, ...common }),
    z.strictObject({ type: z.literal('lipsync'), parameters: lipsyncParameters, ...common }),
    z.strictObject({ type: z.literal('conversion'), parameters: conversionParameters, ...common }),
    z
      .object({ type: z.enum(unbuiltTypes) })
      .openapi({ description: 'Not yet: answered with 422 `unsupported_job_type`.' }),
  ])
  .openapi('NewJob');

type NewJobBody = z.output<typeof newJobSchema>;
type UnbuiltBody = Extract<NewJobBody, { type: (typeof unbuiltTypes)[number] }>;
type StartableBody = Exclude<NewJobBody, UnbuiltBody>;

/** @throws ProblemError `unsupported_job_type` */
export function assertStartable(body: NewJobBody): asserts body is StartableBody {
  if (body.type !== 'dialogue' && body.type !== 'publication') return;
  throw new ProblemError('unsupported_job_type', {
    errors: [{ path: 'body.type', message: `${body.type} jobs cannot be started yet` }],
  });
}

/** @throws ProblemError `unknown_project` and what the types' own checks refuse */
export async function toJobRequest(
  deps: RouteDeps,
  userId: string,
  body: StartableBody,
): Promise<JobRequest> {
  const { projectId } = body;
  await assertOwnProject(deps.db, userId, projectId);
  return { ...(await belowParameters(() => requestOf(deps, userId, body))), projectId };
}

/** What a batch would cost. @throws ProblemError as its start */
export async function toQuote(
  deps: RouteDeps,
  userId: string,
  { projectId, parameters }: Extract<StartableBody, { type: 'personalized' }>,
): Promise<z.output<typeof quoteSchema>> {
  await assertOwnProject(deps.db, userId, projectId);
  return belowParameters(() => quoteBatch(deps, userId, { ...parameters, projectId }));
}

/** The typed calls' requests: an address of its own for a type is a shorthand for this one. */
function requestOf(deps: RouteDeps, userId: string, body: StartableBody): Promise<JobRequest> {
  const { db, offered } = deps;
  const { projectId } = body;
  switch (body.type) {
    case 'explainer':
      return explainerRequest(db, userId, body.parameters);
    case 'stage':
      return stageRequest(deps, userId, body.parameters);
    case 'personalized':
      return batchRequest(deps, userId, { ...body.parameters, projectId });
    case 'lipsync':
      return lipsyncRequest(db, userId, { ...body.parameters, projectId }, offered);
    case 'conversion':
      return conversionRequest(db, userId, { ...body.parameters, projectId });
  }
}

/** The body of `POST /videos/generate`. */
export const generateSchema = explainerSchema
  .safeExtend({ projectId: common.projectId })
  .openapi('GenerateVideo');

/** @throws ProblemError `unknown_asset`, `unknown_project` */
export async function generateRequest(
  db: Db,
  userId: string,
  { projectId, ...parameters }: z.output<typeof generateSchema>,
): Promise<JobRequest> {
  await assertOwnProject(db, userId, projectId);
  return { ...(await explainerRequest(db, userId, parameters)), projectId };
}

/** @throws ProblemError `unknown_asset` */
export async function explainerRequest(
  db: Db,
  userId: string,
  parameters: ExplainerParameters,
): Promise<JobRequest> {
  const options = await toOptions(db, userId, parameters);
  return {
    type: 'explainer',
    parameters,
    input: (ids) => ({ ...ids, options, videoId: null }),
    title: titleOf(parameters),
  };
}

/** @throws ProblemError as `toStageInput` */
export async function stageRequest(
  deps: Pick<RouteDeps, 'db' | 'storage'>,
  userId: string,
  request: StageRequest,
): Promise<JobRequest> {
  const input = await toStageInput(deps, userId, request);
  // Shown also where it was found rather than asked for.
  const isOfLanguage = request.stage === 'scripts' || request.stage === 'voices';
  return {
    type: 'stage',
    parameters: { ...request, ...(isOfLanguage ? { language: input.options.language } : {}) },
    input: (ids) => ({ ...ids, ...input }),
    title: stageTitle(request),
  };
}
