import { createRoute, z } from '@hono/zod-openapi';
import { listCreditMovements, type CreditMovement } from '../../db/credit-entries.js';
import { transactionKinds } from '../../db/credit-tables.js';
import { readBalance } from '../../db/ledger.js';
import type { RouteDeps } from '../context.js';
import { decodeCursor, page, pageQuery } from '../pagination.js';
import { bearer, createRouter, jsonAnswer, problems, type Router } from '../router.js';

const shared = { tags: ['Credits'], security: bearer };

const balanceSchema = z
  .object({
    balance: z.int().openapi({ description: 'Held and available together.' }),
    held: z.int().openapi({ description: 'Set aside for jobs that run.' }),
    available: z.int(),
  })
  .openapi('CreditBalance');

const balance = createRoute({
  ...shared,
  method: 'get',
  path: '/credits/balance',
  summary: 'What I have',
  responses: { 200: jsonAnswer('The balance', balanceSchema), ...problems(401) },
});

const entrySchema = z
  .object({
    id: z.uuid(),
    kind: z.enum(transactionKinds),
    available: z.int().openapi({ description: 'What it added to the credits that can be spent.' }),
    held: z.int().openapi({ description: 'What it added to those that are set aside.' }),
    jobId: z.uuid().nullable(),
    item: z.string().nullable().openapi({ description: 'Which of the things that the job delivers.' }),
    reason: z.string(),
    createdAt: z.iso.datetime(),
  })
  .openapi('CreditEntry');

const entryList = z
  .object({ items: z.array(entrySchema), nextCursor: z.string().nullable() })
  .openapi('CreditEntryList');

const entries = createRoute({
  ...shared,
  method: 'get',
  path: '/credits/entries',
  summary: 'How my credits moved, newest first',
  request: { query: z.strictObject({ ...pageQuery, kind: z.enum(transactionKinds).optional() }) },
  responses: { 200: jsonAnswer('A page of entries', entryList), ...problems(401, 422) },
});

export function creditRoutes({ db }: RouteDeps): Router {
  return createRouter()
    .openapi(balance, async (c) => {
      const { available, held } = await readBalance(db, c.var.user.id);
      return c.json({ balance: available + held, held, available }, 200);
    })
    .openapi(entries, async (c) => {
      const { limit, cursor, kind } = c.req.valid('query');
      const rows = await listCreditMovements(db, c.var.user.id, { kind, limit, after: decodeCursor(cursor) });
      return c.json(page(rows, limit, toEntry), 200);
    });
}

function toEntry(row: CreditMovement): z.infer<typeof entrySchema> {
  const { id, kind, available, held, jobId, item, reason, createdAt } = row;
  return { id, kind, available, held, jobId, item, reason, createdAt: createdAt.toISOString() };
}
