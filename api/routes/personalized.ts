import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { readBalance } from '../../db/ledger.js';
import { priceOf } from '../../workflows/contract/prices.js';
import { acceptJob } from '../accept-job.js';
import type { AppEnv, RouteDeps } from '../context.js';
import { ProblemError } from '../errors.js';
import { jobSchema, type Job } from '../job-resource.js';
import { idempotent, isForm, oncePerKey } from '../middleware/idempotency.js';
import { ownElevenLabsKey } from '../own-key.js';
import { personalizedForm, receivePersonalized, type FormContents } from '../personalized-form.js';
import {
  checkBatch,
  personalizedSchema,
  type BroughtFiles,
  type PersonalizedBody,
} from '../personalized-job.js';
import { bearer, createRouter, jsonAnswer, problems, type Router } from '../router.js';
import { idempotencyHeader } from '../validation.js';

const quoteSchema = z
  .object({
    dryRun: z.literal(true),
    recipients: z.int(),
    columns: z.array(z.string()),
    credits: z.object({ quoted: z.int(), available: z.int() }),
  })
  .openapi('PersonalizedQuote');

/** One base video and a list of recipients → one video for each of them. */
export function personalizedRoutes(deps: RouteDeps): Router {
  const { db } = deps;

  const create = createRoute({
    method: 'post',
    path: '/personalized-videos',
    tags: ['Personalized videos'],
    summary: 'One base video and a table of names → one video a recipient',
    description:
      'With files as multipart, or with the ids of assets as JSON. `dryRun` checks every row and quotes; nothing is rendered or charged.',
    security: bearer,
    middleware: [idempotent(db)] as const,
    request: {
      headers: idempotencyHeader,
      body: {
        // Of the two forms only JSON is validated in front of the handler, and only where it comes.
        required: false,
        content: {
          'application/json': { schema: personalizedSchema },
          // Not a zod schema: the body is read as it comes, not collected to be validated.
          'multipart/form-data': { schema: personalizedForm },
        },
      },
    },
    responses: {
      200: jsonAnswer('What it would cost (`dryRun`)', quoteSchema),
      202: jsonAnswer('Accepted', jobSchema),
      ...problems(400, 401, 402, 409, 413, 415, 422, 429, 503),
    },
  });

  async function quote(userId: string, body: PersonalizedBody, brought?: BroughtFiles) {
    const key = await ownElevenLabsKey(deps, userId, body);
    const { table, recipients } = await checkBatch(deps, userId, body, key?.id ?? null, brought);
    const { available } = await readBalance(db, userId);
    return {
      dryRun: true as const,
      recipients: recipients.length,
      columns: table.columns,
      credits: { quoted: recipients.length * priceOf('personalized', {}), available },
    };
  }

  async function start(c: Context<AppEnv>, body: PersonalizedBody, files?: FormContents): Promise<Job> {
    const key = await ownElevenLabsKey(deps, c.var.user.id, body);
    const { request } = await checkBatch(deps, c.var.user.id, body, key?.id ?? null, files?.brought);
    // Only now: nothing is kept of a batch that is refused.
    const ids = await files?.keep();
    return acceptJob(deps, c, {
      ...request,
      parameters: { ...request.parameters, ...ids },
      async within(trx, jobId) {
        await key?.keep(trx);
        await request.within?.(trx, jobId);
      },
    });
  }

  return createRouter().openapi(create, async (c) => {
    if (!isForm(c)) {
      // Without a type nothing has looked at the body.
      if (!(c.req.header('content-type') ?? '').includes('json'))
        throw new ProblemError('unsupported_media_type');
      const body = personalizedSchema.parse(await c.req.json());
      if (body.dryRun) return c.json(await quote(c.var.user.id, body), 200);
      return c.json(await start(c, body), 202);
    }
    return receivePersonalized(deps, c, async ({ body, fingerprint, look }) => {
      if (body.dryRun) return c.json(await quote(c.var.user.id, body, (await look()).brought), 200);
      let job: Job | undefined;
      const kept = await oncePerKey(db, c, fingerprint, async () => {
        job = await start(c, body, await look());
      });
      return c.json(job ?? jobSchema.parse(kept?.body), 202);
    });
  });
}
