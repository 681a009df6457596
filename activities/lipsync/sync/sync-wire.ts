import { z } from 'zod';
import { invalidInput, transientFailure } from '../../failures.js';
import { noFace } from '../lip-sync-failures.js';
import { withTimeLimit } from '../../time-limit.js';

/** No server's wish keeps a job waiting for longer than this. */
const longestDelaySeconds = 600;
/** Answers are a few hundred bytes; more is not read. */
const mostAnswerBytes = 256 * 1024;

const generation = z.object({
  id: z.string().regex(/^[A-Za-z0-9._~-]{1,128}$/),
  status: z.string(),
  outputUrl: z.string().nullish(),
  error_code: z.string().nullish(),
  errorCode: z.string().nullish(),
});

export type Generation = z.infer<typeof generation>;

const refusal = z.object({
  errorCode: z.string().optional(),
  error_code: z.string().optional(),
  code: z.string().optional(),
  generationId: z
    .string()
    .regex(/^[A-Za-z0-9._~-]{1,128}$/)
    .optional(),
});

export interface SyncWire {
  baseUrl: string;
  apiKey: string;
  /** Longest wait for one answer. */
  answerTimeoutMs: number;
}

/**
 * One call of Sync's API. The key travels in a header only and stands in no message of ours.
 * @returns the generation; of a refusal that names one (`IDEMPOTENCY_OUTCOME_UNKNOWN`), that one, to be asked for.
 * @throws ApplicationFailure by what went wrong; the signal's reason on abort.
 */
export async function callSync(
  { baseUrl, apiKey, answerTimeoutMs }: SyncWire,
  path: string,
  init: { method: 'GET' | 'POST'; body?: FormData; idempotencyKey?: string },
  signal: AbortSignal,
): Promise<Generation | { id: string; status: 'UNKNOWN' }> {
  const { method, body, idempotencyKey } = init;
  let status: number;
  let delay: number | undefined;
  let text: string;
  try {
    const response = await fetch(new URL(path, baseUrl), {
      method,
      redirect: 'error',
      headers: {
        'x-api-key': apiKey,
        accept: 'application/json',
        ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
      },
      ...(body === undefined ? {} : { body }),
      signal: withTimeLimit(signal, answerTimeoutMs),
    });
    status = response.status;
    delay = retryAfterSeconds(response.headers.get('retry-after'));
    text = await boundedText(response);
  } catch {
    signal.throwIfAborted();
    // What fetch says holds addresses.
    throw transientFailure({
      code: 'lip_sync_unavailable',
      detail: 'Sync could not be reached, or did not answer in time.',
    });
  }
  if (status >= 200 && status < 300) {
    const parsed = generation.safeParse(parsedJson(text));
    if (parsed.success) return parsed.data;
    throw transientFailure({ code: 'lip_sync_unavailable', detail: 'Sync answered in an unknown form.' });
  }
  const said = refusal.safeParse(parsedJson(text)).data ?? {};
  const reason = said.errorCode ?? said.error_code ?? said.code;
  if (reason?.toUpperCase() === 'IDEMPOTENCY_OUTCOME_UNKNOWN') return outcomeUnknown(said.generationId);
  throw refusalOf(status, reason, delay);
}

/** The order may stand or not: only the same key, or the generation that it names, may be asked for again. */
function outcomeUnknown(id: string | undefined): { id: string; status: 'UNKNOWN' } {
  if (id !== undefined) return { id, status: 'UNKNOWN' };
  throw transientFailure({
    code: 'lip_sync_outcome_unknown',
    detail: 'Sync does not know yet what became of the order.',
    retryAfterSeconds: 30,
  });
}

function refusalOf(status: number, reason: string | undefined, delay: number | undefined) {
  const said = `Sync answered ${status}`;
  if (status === 429) {
    const isBusy = reason === 'concurrency_limit_reached';
    return transientFailure({
      code: 'lip_sync_rate_limited',
      detail: `${said}: ${isBusy ? 'too many generations at once' : 'too many requests'} for this key.`,
      retryAfterSeconds: delay ?? (isBusy ? 60 : 20),
    });
  }
  if (status === 408 || status === 409 || status >= 500) {
    return transientFailure({
      code: 'lip_sync_unavailable',
      detail: `${said}: it is out of order for now.`,
      ...(delay === undefined ? {} : { retryAfterSeconds: delay }),
    });
  }
  if (status === 401 || status === 403) {
    return invalidInput({ code: 'lip_sync_key_refused', detail: `${said}: check SYNC_API_KEY.` });
  }
  if (status === 402) {
    return invalidInput({ code: 'lip_sync_quota', detail: `${said}: the account has no credit left.` });
  }
  return invalidInput({ code: 'lip_sync_request_refused', detail: `${said}: it did not take the request.` });
}

/** The failure of a generation that ended without a video. */
export function generationFailure({ status, error_code, errorCode }: Generation) {
  const reason = error_code ?? errorCode ?? '';
  if (/face/i.test(reason) && /\b(no|not|missing|undetected)\b/i.test(reason.replaceAll('_', ' ')))
    return noFace();
  // A vendor's words may be anything; its code is one word or not told.
  const code = /^[A-Za-z0-9_.-]{1,60}$/.test(reason) ? ` (${reason})` : '';
  const ends: Record<string, string> = { FAILED: 'failed on', REJECTED: 'rejected', CANCELED: 'cancelled' };
  return invalidInput({
    code:
      status === 'REJECTED'
        ? 'lip_sync_rejected'
        : status === 'CANCELED'
          ? 'lip_sync_cancelled'
          : 'lip_sync_failed',
    detail: `Sync ${ends[status] ?? 'failed on'} this span${code}.`,
  });
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const body: AsyncIterable<Uint8Array> | null = response.body;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > mostAnswerBytes) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** `Retry-After` in seconds; its other form, a date, is not sent by this API. */
function retryAfterSeconds(header: string | null): number | undefined {
  return header !== null && /^\d{1,6}$/.test(header)
    ? Math.min(longestDelaySeconds, Number(header))
    : undefined;
}
