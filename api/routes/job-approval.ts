import { setTimeout as sleep } from 'node:timers/promises';
import { createRoute, z } from '@hono/zod-openapi';
import { findJob, listJobArtifacts, markReviewAnswered, setEdits, withApprovalLock } from '../../db/jobs.js';
import type { ApprovalDecision } from '../../workflows/contract/jobs.js';
import type { RouteDeps } from '../context.js';
import { currentJob } from '../current-job.js';
import { ProblemError } from '../errors.js';
import { jobSchema } from '../job-resource.js';
import { readDocument } from '../read-stored.js';
import {
  bearer,
  bodyProblems,
  createRouter,
  jsonAnswer,
  jsonBody,
  problems,
  type Router,
} from '../router.js';
import { approvalSchema, mergeEdits, toEdits, type GivenEdit } from '../scene-edits.js';
import { idParam } from '../validation.js';

const attempts = 10;
const pauseMs = 100;

const approval = createRoute({
  method: 'post',
  path: '/jobs/{id}/approval',
  tags: ['Jobs'],
  summary: 'Answer the review of a job that waits for it',
  description: 'A rejected job is cancelled. Edits are applied before the work goes on.',
  security: bearer,
  request: { params: idParam, body: jsonBody(approvalSchema) },
  responses: { 200: jsonAnswer('The job', jobSchema), ...bodyProblems, ...problems(404, 409, 503) },
});

export function jobApprovalRoutes({ db, jobs, storage, views }: RouteDeps): Router {
  /**
   * A workflow says that it waits a moment before it takes answers, so that a quick client would be refused:
   * as long as it still says so, the answer is given again.
   */
  async function approve(id: string, decision: ApprovalDecision): Promise<'accepted' | 'refused'> {
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await jobs.approve(id, decision);
      if (outcome === 'accepted' || attempt === attempts) return outcome;
      const live = await jobs.progress(id);
      if (live?.progress.status !== 'awaiting_approval') return 'refused';
      await sleep(pauseMs);
    }
  }

  /** The script that is reviewed. It is listed a moment after the workflow says that it waits. */
  async function reviewedScript(userId: string, id: string): Promise<string> {
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      const script = (await listJobArtifacts(db, userId, id)).find(({ kind }) => kind === 'script');
      if (script !== undefined) return script.id;
      await sleep(pauseMs);
    }
    throw new ProblemError('job_not_awaiting_approval');
  }

  /** An edit of a scene that is not there would fail the job at its next step. @throws ProblemError `validation_failed` */
  async function assertScenes(userId: string, id: string, edits: readonly GivenEdit[]): Promise<void> {
    if (edits.length === 0) return;
    const script = await readDocument(storage, await reviewedScript(userId, id), scriptSchema);
    if (script === undefined) {
      throw new ProblemError('unknown_artifact', { detail: 'The script is no longer in storage.' });
    }
    const numbers = new Set(script.scenes.map(({ number }) => number));
    const errors = edits.flatMap(({ number }, index) =>
      numbers.has(number)
        ? []
        : [
            {
              path: `body.edits.${index}.number`,
              message: `the script has no scene ${number}; it has ${numbers.size}`,
            },
          ],
    );
    if (errors.length > 0) throw new ProblemError('validation_failed', { errors });
  }

  return createRouter().openapi(approval, async (c) => {
    const { id } = c.req.valid('param');
    const userId = c.var.user.id;
    const { approved, edits: asked = [] } = c.req.valid('json');
    const job = await currentJob(views, userId, id);
    if (job.status !== 'awaiting_approval') throw new ProblemError('job_not_awaiting_approval');
    await assertScenes(userId, id, asked);
    const given = await toEdits(db, userId, asked, (index) => `body.edits.${index}`);
    // Those of the job that this one repeats were approved: they stay, here and in the next repetition.
    const before = job.retryOf === null ? undefined : await findJob(db, userId, job.retryOf);
    const edits = mergeEdits(before?.edits ?? [], given);
    const outcome = await withApprovalLock(db, id, async (connection) => {
      if (approved && !(await setEdits(connection, userId, id, edits))) return 'refused';
      const decision = { approved, hasEdits: approved && edits.length > 0 };
      const taken = await approve(id, decision).catch((cause: unknown) => {
        throw new ProblemError('engine_unavailable', { cause });
      });
      if (taken === 'accepted') await markReviewAnswered(connection, id);
      return taken;
    });
    if (outcome !== 'accepted') throw new ProblemError('job_not_awaiting_approval');
    c.var.logger.info({ jobId: id, stage: 'review', action: 'answer review', success: true });
    return c.json(await currentJob(views, userId, id), 200);
  });
}

/** What of a script is looked at here. */
const scriptSchema = z.object({ scenes: z.array(z.object({ number: z.int() })) });
