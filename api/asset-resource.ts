import { z } from '@hono/zod-openapi';
import type { AssetRow } from '../db/assets.js';
import { assetKinds } from '../workflows/contract/assets.js';

export const assetSchema = z
  .object({
    id: z.uuid(),
    kind: z.enum(assetKinds),
    fileName: z.string(),
    contentType: z.string().openapi({ description: 'By the content of the file, not by its name.' }),
    bytes: z.int(),
    sha256: z.string(),
    media: z.object({
      durationSeconds: z.number().nullable(),
      width: z.int().nullable().openapi({ description: 'Of the picture as it is shown.' }),
      height: z.int().nullable(),
      frameRate: z.number().nullable(),
      videoCodec: z.string().nullable(),
      audioCodec: z.string().nullable(),
      sampleRate: z.int().nullable(),
      channels: z.int().nullable(),
    }),
    url: z.string(),
    projectId: z.uuid().nullable(),
    createdAt: z.iso.datetime(),
  })
  .openapi('Asset');

export function toAsset(row: AssetRow): z.infer<typeof assetSchema> {
  return {
    id: row.id,
    kind: row.kind,
    fileName: row.file_name,
    contentType: row.content_type,
    bytes: Number(row.bytes),
    sha256: row.sha256,
    media: row.media,
    url: `/api/v1/assets/${row.id}/content`,
    projectId: row.project_id,
    createdAt: row.created_at.toISOString(),
  };
}
