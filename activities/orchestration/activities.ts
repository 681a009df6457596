import { Context } from '@temporalio/activity';
import { recordAwaitingApproval, recordEnd, recordStart } from '../../db/job-records.js';
import type { OrchestrationActivities } from '../../workflows/activity-interfaces.js';
import type { ScriptDocument } from '../../workflows/contract/documents.js';
import type {
  FinishJobInput,
  MarkAwaitingApprovalInput,
  MarkStartedInput,
  MarkStartedResult,
} from '../../workflows/contract/jobs.js';
import { invalidInput } from '../failures.js';
import { editScript } from './edit-script.js';
import { partsInTime } from './name-parts.js';
import type { OrchestrationDeps } from './orchestration-deps.js';
import { createRecipientActivities } from './recipients.js';
import { recordVideo } from './record-video.js';

/** The pool that keeps the jobs' records. */
export function createOrchestrationActivities(deps: OrchestrationDeps): OrchestrationActivities {
  const { db, artifacts } = deps;
  return {
    async markStarted({ jobId, script }: MarkStartedInput): Promise<MarkStartedResult> {
      const started = await recordStart(db, jobId);
      if (started === undefined) {
        throw invalidInput({ code: 'job_over', detail: 'The job ended before its work began.' });
      }
      if (script === null) return { ...started, sceneCount: null };
      const { scenes } = await artifacts.readJson<ScriptDocument>(script);
      return { ...started, sceneCount: scenes.length };
    },

    async markAwaitingApproval(input: MarkAwaitingApprovalInput): Promise<void> {
      await recordAwaitingApproval(db, input.jobId, input.artifacts);
    },

    editScript: (input) => editScript(deps, input),

    recordVideo: (input) => recordVideo(deps, input),

    ...createRecipientActivities(deps),

    async finishJob(input: FinishJobInput): Promise<void> {
      const parts = await partsInTime(artifacts, input.artifacts, Context.current().info.attempt);
      await recordEnd(db, { ...input, artifacts: [...input.artifacts, ...parts] });
    },
  };
}
