import { delivery, summarized } from './activity-proxies.js';
import type { DeliverWebhookResult, WebhookInput } from './contract/webhooks.js';

/**
 * Tells the end of a job to the address that was given with it. A workflow of its own, so that a receiver that
 * is away for hours holds up nobody's job; it fails when nobody took the message within a day.
 */
export async function webhook({ jobId, userId }: WebhookInput): Promise<DeliverWebhookResult> {
  const { status } = await summarized(`end of job ${jobId}`, delivery.deliverWebhook, { jobId, userId });
  return { status };
}
