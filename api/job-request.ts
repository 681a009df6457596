import { z } from '@hono/zod-openapi';
import type { Db } from '../db/database.js';
import { jobTypes, type JobType } from '../workflows/contract/jobs.js';
import type { JobRequest } from './accept-job.js';
import type { RouteDeps } from './context.js';
import { ProblemError } from './errors.js';
import { explainerSchema, titleOf, toOptions, type ExplainerParameters } from './explainer-request.js';
import { assertOwnProject } from './own-project.js';
import { stageParameters, stageTitle, toStageInput, type StageRequest } from './stage-request.js';

type Startable = 'explainer' | 'stage';
const otherTypes = jobTypes.filter(
  (type): type is Exclude<JobType, Startable> => type !== 'explainer' && type !== 'stage',
);

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
    z
      .object({ type: z.enum(otherTypes) })
      .openapi({ description: 'Not yet: answered with 422 `unsupported_job_type`.' }),
  ])
  .openapi('NewJob');

/** @throws ProblemError `unknown_project`, `unsupported_job_type` and what the types' own checks refuse */
export async function toJobRequest(
  deps: RouteDeps,
  userId: string,
  body: z.output<typeof newJobSchema>,
): Promise<JobRequest> {
  const { db } = deps;
  switch (body.type) {
    case 'explainer':
      await assertOwnProject(db, userId, body.projectId);
      return {
        ...(await withPrefix('parameters', () => explainerRequest(db, userId, body.parameters))),
        projectId: body.projectId,
      };
    case 'stage':
      await assertOwnProject(db, userId, body.projectId);
      return {
        ...(await withPrefix('parameters', () => stageRequest(deps, userId, body.parameters))),
        projectId: body.projectId,
      };
    default:
      throw new ProblemError('unsupported_job_type', {
        errors: [{ path: 'body.type', message: `${body.type} jobs cannot be started yet` }],
      });
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

/** The typed addresses have the parameters as their body; here they are one level deeper. */
async function withPrefix<T>(prefix: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ProblemError) || error.errors === undefined) throw error;
    const errors = error.errors.map(({ path, message }) => ({
      path: path.replace(/^body\./, `body.${prefix}.`),
      message,
    }));
    throw new ProblemError(error.code, { errors, cause: error });
  }
}
