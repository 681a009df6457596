import { z } from '@hono/zod-openapi';
import type { VideoRow } from '../db/videos.js';

export const sceneSchema = z
  .object({
    number: z.int(),
    heading: z.string(),
    narration: z.string(),
    bullets: z.array(z.string()),
    imagePrompt: z.string(),
    imageArtifact: z.string().nullable(),
  })
  .openapi('Scene');

export const videoSchema = z
  .object({
    id: z.uuid(),
    title: z.string(),
    description: z.string(),
    status: z.enum(['ready', 'editing']),
    durationSeconds: z.number(),
    width: z.int(),
    height: z.int(),
    bytes: z.int(),
    language: z.string(),
    streamUrl: z.string(),
    thumbnailUrl: z.string(),
    captionsUrl: z.string(),
    scenes: z.array(sceneSchema),
    projectId: z.uuid().nullable(),
    jobId: z.uuid(),
    publications: z.array(z.object({ url: z.string() })),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .openapi('Video');

export function toVideo(row: VideoRow): z.infer<typeof videoSchema> {
  const base = `/api/v1/videos/${row.id}`;
  return {
    id: row.id,
    title: row.title,
    description: row.description,
    status: row.editing ? 'editing' : 'ready',
    durationSeconds: row.duration_seconds,
    width: row.width,
    height: row.height,
    bytes: Number(row.bytes),
    language: row.language,
    streamUrl: `${base}/stream`,
    thumbnailUrl: `${base}/thumbnail`,
    captionsUrl: `${base}/captions.vtt`,
    scenes: row.scenes,
    projectId: row.project_id,
    jobId: row.job_id,
    publications: [],
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}
