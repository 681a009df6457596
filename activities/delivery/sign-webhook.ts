import { createHmac } from 'node:crypto';

export interface WebhookMessage {
  id: string;
  /** Unix time of the attempt, whole seconds; receivers refuse what is too old. */
  timestampSeconds: number;
  /** The exact bytes that are sent, as text. */
  body: string;
}

/**
 * The headers of a message by Standard Webhooks (https://www.standardwebhooks.com, "Signature scheme"): one
 * `v1` signature for each secret, HMAC-SHA256 over `id.timestamp.body`.
 *
 * @param secrets `whsec_` and base64; several during a rotation.
 */
export function webhookHeaders(message: WebhookMessage, secrets: readonly string[]): Record<string, string> {
  const timestamp = String(message.timestampSeconds);
  const content = `${message.id}.${timestamp}.${message.body}`;
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
    return `v1,${createHmac('sha256', key).update(content).digest('base64')}`;
  });
  return {
    'webhook-id': message.id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}
