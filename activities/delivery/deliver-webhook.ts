import { cancellationSignal } from '@temporalio/activity';
import type { Db } from '../../db/database.js';
import { jobDocument } from '../../db/job-document.js';
import { findEndedJob } from '../../db/webhooks.js';
import { webhookSecrets } from '../../db/webhook-secrets.js';
import {
  callbackProblem,
  webhookId,
  type DeliverWebhookResult,
  type WebhookInput,
} from '../../workflows/contract/webhooks.js';
import { invalidInput, transientFailure } from '../failures.js';
import { AddressRefusedError, postOnce, type PostOnceAnswer } from './post-once.js';
import { webhookHeaders } from './sign-webhook.js';

export interface WebhookDeps {
  db: Db;
  /** Callbacks may go to plain http and to addresses that are not public. */
  allowPrivateCallbacks: boolean;
}

/** A receiver has this long to say that it has the message; what it does with it comes later. */
const timeoutMs = 15_000;

/** No receiver puts the next attempt off for longer. */
const maxRetryAfterSeconds = 3600;

/**
 * Tells the end of a job to its `callbackUrl` once: the job as the API shows it, signed with its user's
 * secrets. Any 2xx is success; 410 asks never to be called again.
 *
 * @throws ApplicationFailure `callback_refused`, `callback_gone`, `job_missing` for good, `callback_failed` to
 *   be tried again
 */
export async function deliverWebhook(
  { db, allowPrivateCallbacks: allowPrivate }: WebhookDeps,
  { jobId, userId }: WebhookInput,
): Promise<DeliverWebhookResult> {
  const job = await findEndedJob(db, userId, jobId);
  if (job?.callback_url == null) {
    throw invalidInput({ code: 'job_missing', detail: 'The job is no longer there.' });
  }
  if (callbackProblem(job.callback_url, allowPrivate) !== undefined) throw refused();

  const data = jobDocument(job);
  const id = webhookId(jobId);
  const body = JSON.stringify({ type: `job.${data.status}`, timestamp: data.completedAt, data });
  const timestampSeconds = Math.floor(Date.now() / 1000);
  const headers = webhookHeaders({ id, timestampSeconds, body }, await webhookSecrets(db, userId));
  const answer = await postOnce({
    url: new URL(job.callback_url),
    headers: { ...headers, 'content-type': 'application/json', 'user-agent': 'Callsheet-Webhooks/1' },
    body,
    allowPrivate,
    timeoutMs,
    signal: cancellationSignal(),
  }).catch((error: unknown) => {
    if (error instanceof AddressRefusedError) throw refused();
    throw transientFailure({ code: 'callback_failed', detail: `No answer: ${reasonOf(error)}.` });
  });
  return accepted(answer);
}

function accepted({ status, retryAfter }: PostOnceAnswer): DeliverWebhookResult {
  if (status >= 200 && status < 300) return { status };
  if (status === 410) {
    throw invalidInput({ code: 'callback_gone', detail: 'The receiver wants no more messages.' });
  }
  const seconds = Number(retryAfter);
  throw transientFailure({
    code: 'callback_failed',
    detail: `The receiver answered ${status}.`,
    ...(Number.isFinite(seconds) && seconds > 0
      ? { retryAfterSeconds: Math.min(seconds, maxRetryAfterSeconds) }
      : {}),
  });
}

function refused() {
  return invalidInput({
    code: 'callback_refused',
    detail: 'The callback address does not lead to the public Internet.',
  });
}

/** A code such as ECONNREFUSED; messages could repeat the address, which may carry a secret. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
