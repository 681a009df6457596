import type { JobRef } from './jobs.js';
import { isPublicAddress } from './network-address.js';

/** What is agreed on callbacks: who may be called, and the workflow that calls. */

/** One a job, because a job ends once; also the `webhook-id` that receivers know repetitions by. */
export const webhookId = (jobId: string): string => `webhook-${jobId}`;

/** Type of the workflow that tells a job's end to its `callbackUrl`. */
export const webhookWorkflow = 'webhook';

/** Ids only: an address may carry a receiver's secret, so it stays in the row. */
export type WebhookInput = JobRef;

/** delivery pool: one attempt. */
export interface DeliverWebhookResult {
  /** HTTP status of the receiver's answer, 2xx. */
  status: number;
}

/** Names that never lead to the public Internet (RFC 6761, RFC 6762, RFC 8375, RFC 9476, ICANN's `internal`). */
const privateNames = /(^|\.)(localhost|local|internal|home\.arpa|alt|test|invalid|onion)$/;

/**
 * What is wrong with a callback address as far as its text tells; undefined when nothing is. `URL` has brought
 * every spelling of an IPv4 address (`0x7f.1`, `2130706433`) into the usual one. What a name leads to shows
 * only when it is called, and is checked then.
 *
 * @param allowPrivate also plain http and addresses that are not public.
 */
export function callbackProblem(address: string, allowPrivate: boolean): string | undefined {
  if (!URL.canParse(address)) return 'must be an absolute https address';
  const url = new URL(address);
  const { protocol, username, password, hash } = url;
  if (protocol !== 'https:' && !(allowPrivate && protocol === 'http:')) return 'must begin with https://';
  if (username !== '' || password !== '') return 'must not contain a user name or a password';
  if (hash !== '') return 'must not have a fragment';
  return allowPrivate || isPublicHost(url.hostname) ? undefined : 'must lead to the public Internet';
}

function isPublicHost(hostname: string): boolean {
  const isAddress = hostname.startsWith('[') || /^[\d.]+$/.test(hostname);
  if (isAddress) return isPublicAddress(hostname);
  const name = hostname.replace(/\.$/, '');
  return name.includes('.') && !privateNames.test(name);
}
