import { z } from '@hono/zod-openapi';
import { readBalance } from '../db/ledger.js';
import { priceOf } from '../workflows/contract/prices.js';
import type { JobRequest } from './accept-job.js';
import type { RouteDeps } from './context.js';
import { ownElevenLabsKey } from './own-key.js';
import type { FormContents } from './personalized-form.js';
import { checkBatch, type BroughtFiles, type PersonalizedBody } from './personalized-job.js';

/** What a batch would be and cost. */
export const quoteSchema = z
  .object({
    dryRun: z.literal(true),
    recipients: z.int(),
    columns: z.array(z.string()),
    credits: z.object({ quoted: z.int(), available: z.int() }),
  })
  .openapi('PersonalizedQuote');

/** Checks a batch as its start would, and starts nothing. @throws ProblemError as `checkBatch` */
export async function quoteBatch(
  deps: RouteDeps,
  userId: string,
  body: PersonalizedBody,
  brought?: BroughtFiles,
): Promise<z.output<typeof quoteSchema>> {
  const key = await ownElevenLabsKey(deps, userId, body);
  const { table, recipients } = await checkBatch(deps, userId, body, key?.id ?? null, brought);
  const { available } = await readBalance(deps.db, userId);
  return {
    dryRun: true,
    recipients: recipients.length,
    columns: table.columns,
    credits: { quoted: recipients.length * priceOf('personalized', {}), available },
  };
}

/** A batch that has been checked, with the key that its user brought. @throws ProblemError as `checkBatch` */
export async function batchRequest(
  deps: RouteDeps,
  userId: string,
  body: PersonalizedBody,
  files?: FormContents,
): Promise<JobRequest> {
  const key = await ownElevenLabsKey(deps, userId, body);
  const { request } = await checkBatch(deps, userId, body, key?.id ?? null, files?.brought);
  // Only now: nothing is kept of a batch that is refused.
  const ids = await files?.keep();
  return {
    ...request,
    parameters: { ...request.parameters, ...ids },
    async within(trx, jobId) {
      await key?.keep(trx);
      await request.within?.(trx, jobId);
    },
  };
}
