import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Db } from '../db/database.js';
import type { JobRow } from '../db/jobs.js';
import { copyDelivered, copyUndelivered, countDeliveredFiles, countRecipients } from '../db/recipients.js';
import type { JobRequest } from './accept-job.js';
import type { AppEnv } from './context.js';
import { ProblemError } from './errors.js';
import { fieldErrors } from './validation.js';

export const retrySchema = z.strictObject({ only: z.literal('failed').optional() }).openapi('Retry');

/** A retry needs no body, and most clients send none. @throws ProblemError `malformed_json`, `validation_failed` */
export async function retryBody(c: Context<AppEnv>): Promise<z.output<typeof retrySchema>> {
  const text = await c.req.text();
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ProblemError('malformed_json', { cause });
  }
  const parsed = retrySchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ProblemError('validation_failed', { errors: fieldErrors(parsed.error, 'body') });
}

/**
 * What of a batch is done again: the recipients that were not delivered, each held for anew. What a batch delivered
 * that ended without an archive is taken over as it is, so that it ends up in one.
 * @throws ProblemError `job_not_retryable` when nothing is left to do
 */
export async function restOfBatch(
  db: Db,
  row: JobRow,
): Promise<Pick<JobRequest, 'input' | 'items' | 'within' | 'title'>> {
  const { pending, in_progress: begun, failed, cancelled } = await countRecipients(db, row.id);
  const count = pending + begun + failed + cancelled;
  const takenOver = row.status === 'completed' ? 0 : await countDeliveredFiles(db, row.id);
  if (count + takenOver === 0) throw new ProblemError('job_not_retryable');
  return {
    input: (ids) => ({ ...row.workflow_input, ...ids, recipientCount: count, takenOver }),
    items: Array.from({ length: count }, (_, position) => String(position)),
    title: `again: ${count} of ${row.id}`,
    async within(trx, jobId) {
      const whose = { from: row.id, to: jobId, userId: row.user_id };
      await copyUndelivered(trx, whose);
      if (takenOver > 0) await copyDelivered(trx, { ...whose, behind: count });
    },
  };
}
