import { WorkflowExecutionAlreadyStartedError, type WorkflowClient } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { searchAttributes, taskQueue } from './contract/jobs.js';
import { webhookId, webhookWorkflow, type WebhookInput } from './contract/webhooks.js';

const deadlineMs = 5_000;

/** A little more than the delivery itself may take. */
const executionTimeoutMs = 25 * 3600 * 1000;

const userIdKey = defineSearchAttributeKey(searchAttributes.userId, SearchAttributeType.KEYWORD);

/**
 * Starts the workflow that tells a job's end. Client-side code. Its id follows from the job's and duplicates
 * are rejected, so however often this is called, one runs.
 */
export async function startWebhook(client: WorkflowClient, input: WebhookInput): Promise<void> {
  try {
    await client.withDeadline(Date.now() + deadlineMs, () =>
      client.start(webhookWorkflow, {
        workflowId: webhookId(input.jobId),
        taskQueue: taskQueue('orchestration'),
        args: [input],
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        workflowIdConflictPolicy: 'FAIL',
        workflowExecutionTimeout: executionTimeoutMs,
        typedSearchAttributes: [{ key: userIdKey, value: input.userId }],
        staticSummary: `webhook of job ${input.jobId}`,
      }),
    );
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
