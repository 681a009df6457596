import { ApplicationFailure, condition, defineUpdate, setHandler } from '@temporalio/workflow';
import { approvalUpdate, type ApprovalDecision } from './contract/jobs.js';
import { JobStopped } from './job-failure.js';

/** How long a script waits for its user. */
export const reviewDays = 30;

const approval = defineUpdate<void, [ApprovalDecision]>(approvalUpdate);

export interface ReviewGate {
  /**
   * Opens the gate, announces that and waits for the user, durably, up to {@link reviewDays} days. Whoever
   * reads the announcement finds the gate open.
   *
   * @throws JobStopped when the script is rejected or nobody answers.
   */
  decision(step: string, announce: () => Promise<void>): Promise<ApprovalDecision>;
}

/**
 * Registers the approval update; call it before anything is awaited. An answer is refused unless the job
 * waits for one, so of two answers only the first counts.
 */
export function openReviewGate(): ReviewGate {
  let waiting = false;
  let answer: ApprovalDecision | undefined;

  setHandler(
    approval,
    (decision) => {
      answer = decision;
      waiting = false;
    },
    {
      description: 'Answers the review gate of a job that waits for approval.',
      validator: (_decision: ApprovalDecision) => {
        if (waiting) return;
        throw ApplicationFailure.nonRetryable('the job does not wait for approval', 'not_awaiting_approval');
      },
    },
  );

  return {
    async decision(step, announce) {
      waiting = true;
      try {
        await announce();
        await condition(() => answer !== undefined, `${reviewDays} days`);
      } finally {
        waiting = false;
      }
      if (answer === undefined) {
        throw stopped('review_expired', `Nobody answered the review within ${reviewDays} days.`, step);
      }
      if (!answer.approved) throw stopped('script_rejected', 'The script was rejected at the review.', step);
      return answer;
    },
  };
}

function stopped(code: string, detail: string, step: string): JobStopped {
  return new JobStopped({ code, detail, step, retryable: false });
}
