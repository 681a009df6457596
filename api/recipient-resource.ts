import { z } from '@hono/zod-openapi';
import type { RecipientRow } from '../db/recipients.js';
import { recipientStatuses } from '../workflows/contract/personalized.js';

export const recipientSchema = z
  .object({
    position: z.int().openapi({
      description: 'Counts from 0, in the order of the file; those that a retry took over come last.',
    }),
    row: z.int().openapi({ description: 'Row in the file, as a spreadsheet counts.' }),
    name: z.string(),
    status: z.enum(recipientStatuses),
    message: z.string().nullable(),
    file: z
      .object({ name: z.string(), bytes: z.int(), durationSeconds: z.number(), url: z.string() })
      .nullable(),
    error: z.object({ code: z.string(), detail: z.string(), retryable: z.boolean() }).nullable(),
    startedAt: z.iso.datetime().nullable(),
    completedAt: z.iso.datetime().nullable(),
  })
  .openapi('Recipient');

export function toRecipient(row: RecipientRow): z.infer<typeof recipientSchema> {
  const { error } = row;
  return {
    position: row.position,
    row: row.row_number,
    name: row.name,
    status: row.status,
    message: row.message,
    file:
      row.file_artifact === null
        ? null
        : {
            name: row.file_name ?? row.file_artifact,
            bytes: Number(row.bytes ?? 0),
            durationSeconds: row.duration_seconds ?? 0,
            url: `/api/v1/jobs/${row.job_id}/recipients/${row.position}/file`,
          },
    error: error && { code: error.code, detail: error.detail, retryable: error.retryable },
    startedAt: row.started_at?.toISOString() ?? null,
    completedAt: row.completed_at?.toISOString() ?? null,
  };
}
