import { captureHolds, HoldReleased, releaseHolds } from '../../db/credits.js';
import type { Db } from '../../db/database.js';
import { lockLiveJob } from '../../db/job-ends.js';
import {
  endRecipient as recordRecipientEnd,
  findRecipient,
  startRecipient,
  type RecipientRow,
} from '../../db/recipients.js';
import type {
  EndRecipientInput,
  RecipientOutcome,
  StartRecipientInput,
} from '../../workflows/contract/personalized.js';
import { invalidInput } from '../failures.js';
import type { OrchestrationDeps } from './orchestration-deps.js';
import { recipientFileName } from './recipient-file-name.js';

/** Records of a batch's recipients. What a recipient costs is held under its position. */
export function createRecipientActivities({ db }: Pick<OrchestrationDeps, 'db'>) {
  return {
    async startRecipient({ jobId, position }: StartRecipientInput): Promise<RecipientOutcome | null> {
      if (await startRecipient(db, jobId, position)) return null;
      return outcomeOf(await findRecipient(db, jobId, position));
    },

    /**
     * Delivery and payment are one: neither stands without the other, and both happen once. What comes after the end
     * of the job is neither delivered nor charged.
     * @throws ApplicationFailure `hold_released` when its credit was given back by hand
     */
    async endRecipient(input: EndRecipientInput): Promise<RecipientOutcome> {
      try {
        return await db.transaction().execute((trx) => endOnce(trx, input));
      } catch (error) {
        if (!(error instanceof HoldReleased)) throw error;
        throw invalidInput({
          code: 'hold_released',
          detail: 'The credit for this recipient was given back before it was delivered.',
        });
      }
    },
  };
}

async function endOnce(trx: Db, { jobId, position, outcome }: EndRecipientInput): Promise<RecipientOutcome> {
  // The job before its recipients, as its own end does, so that two transactions never wait for each other.
  const job = await lockLiveJob(trx, jobId);
  const recipient = await findRecipient(trx, jobId, position);
  if (job === undefined || recipient === undefined) return outcomeOf(recipient);
  const item = String(position);
  if (outcome.status === 'failed') {
    if (!(await recordRecipientEnd(trx, jobId, position, outcome))) return outcomeOf(recipient);
    await releaseHolds(trx, jobId, [item]);
    return 'failed';
  }
  const fileName = recipientFileName(recipient, outcome.file);
  const end = { ...outcome, status: 'completed' as const, fileName };
  if (!(await recordRecipientEnd(trx, jobId, position, end))) return outcomeOf(recipient);
  await captureHolds(trx, jobId, [item]);
  return 'delivered';
}

/** Of one that is over. */
function outcomeOf(recipient: RecipientRow | undefined): RecipientOutcome {
  return recipient?.status === 'completed' ? 'delivered' : 'failed';
}
