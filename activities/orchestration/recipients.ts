import { captureHolds, HoldReleased, releaseHolds } from '../../db/credits.js';
import { endRecipient as recordRecipientEnd, findRecipient, startRecipient } from '../../db/recipients.js';
import type { EndRecipientInput, StartRecipientInput } from '../../workflows/contract/personalized.js';
import { invalidInput } from '../failures.js';
import { recipientFileName } from './recipient-file-name.js';
import type { OrchestrationDeps } from './orchestration-deps.js';

/** Records of a batch's recipients. What a recipient costs is held under its position. */
export function createRecipientActivities({ db }: Pick<OrchestrationDeps, 'db'>) {
  return {
    startRecipient: ({ jobId, position }: StartRecipientInput): Promise<boolean> =>
      startRecipient(db, jobId, position),

    /** Delivery and payment are one: neither stands without the other, and both happen once. */
    async endRecipient({ jobId, position, outcome }: EndRecipientInput): Promise<void> {
      const item = String(position);
      try {
        await db.transaction().execute(async (trx) => {
          const recipient = await findRecipient(trx, jobId, position);
          if (recipient === undefined) return;
          if (outcome.status === 'failed') {
            await recordRecipientEnd(trx, jobId, position, outcome);
            await releaseHolds(trx, jobId, [item]);
            return;
          }
          const fileName = recipientFileName(recipient, outcome.file);
          const end = { ...outcome, status: 'completed' as const, fileName };
          if (await recordRecipientEnd(trx, jobId, position, end)) await captureHolds(trx, jobId, [item]);
        });
      } catch (error) {
        // The job had its last word meanwhile: what was made now is not delivered and not charged.
        if (!(error instanceof HoldReleased)) throw error;
        throw invalidInput({
          code: 'job_over',
          detail: 'The job ended before this recipient was delivered.',
        });
      }
    },
  };
}
