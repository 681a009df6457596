import type { DeliveryActivities } from '../../workflows/activity-interfaces.js';
import { deliverWebhook, type WebhookDeps } from './deliver-webhook.js';

/** The pool that brings what is done to places outside. */
export function createDeliveryActivities(deps: WebhookDeps): DeliveryActivities {
  return {
    deliverWebhook: (input) => deliverWebhook(deps, input),
  };
}
