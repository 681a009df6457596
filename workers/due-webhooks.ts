import type { WorkflowClient } from '@temporalio/client';
import type { Db } from '../db/database.js';
import { setWebhookStarted, withDueWebhooks } from '../db/webhooks.js';
import { startWebhook } from '../workflows/start-webhook.js';

const batchSize = 50;

/** Hands the ends of jobs that have a callback address to the engine; the next sweep takes what is left. */
export async function startDueWebhooks(db: Db, client: WorkflowClient): Promise<void> {
  await withDueWebhooks(db, batchSize, async (trx, due) => {
    for (const webhook of due) {
      await startWebhook(client, webhook);
      await setWebhookStarted(trx, webhook.jobId);
    }
  });
}
