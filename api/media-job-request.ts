import { z } from '@hono/zod-openapi';
import type { Db } from '../db/database.js';
import { conversionPresets, type ConversionOptions } from '../workflows/contract/media-jobs.js';
import { lipSyncProviders } from '../workflows/contract/personalized.js';
import type { JobRequest } from './accept-job.js';
import { checkPads, lipSyncPads } from './lip-sync-pads.js';
import { resolveAssets } from './named-assets.js';
import { assertOwnProject } from './own-project.js';
import type { OfferedProviders } from './offered-providers.js';
import { refuseField } from './validation.js';

const kilobits = z
  .string()
  .regex(/^\d{2,3}k$/, 'must be kilobits such as 160k')
  .transform((text) => Number(text.slice(0, -1)) * 1000)
  .pipe(z.number().min(32_000).max(320_000));

const project = { projectId: z.uuid().nullable().default(null) };

const conversionOptions = {
  crf: z.int().min(0).max(40).default(20),
  preset: z.enum(conversionPresets).default('medium'),
  audioBitrate: kilobits.default(160_000).openapi({ type: 'string', example: '160k', default: '160k' }),
  container: z.literal('mp4').default('mp4'),
};

/** What a conversion takes besides its file. */
export const conversionShape = { ...conversionOptions, ...project };

/** As a job of any type. */
export const conversionParameters = z
  .strictObject({ assetId: z.uuid(), ...conversionOptions })
  .openapi('ConversionParameters');

/** The body of `POST /convert`. */
export const conversionSchema = z
  .strictObject({ assetId: z.uuid(), ...conversionShape })
  .openapi('Conversion');

export type ConversionBody = z.output<typeof conversionSchema>;

const lipsyncShape = {
  videoAssetId: z.uuid(),
  audioAssetId: z.uuid(),
  provider: z.enum(lipSyncProviders).default('viseme'),
  pads: lipSyncPads.optional(),
};

/** As a job of any type. */
export const lipsyncParameters = z.strictObject(lipsyncShape).openapi('LipsyncParameters');

/** The body of `POST /lipsync`. */
export const lipsyncSchema = z.strictObject({ ...lipsyncShape, ...project }).openapi('Lipsync');

/** @throws ProblemError `unknown_asset`, `unknown_project` */
export async function conversionRequest(
  db: Db,
  userId: string,
  { projectId, ...body }: ConversionBody,
): Promise<JobRequest> {
  await assertOwnProject(db, userId, projectId);
  const [source] = await resolveAssets(db, userId, [
    { path: 'body.assetId', id: body.assetId, kinds: ['video'] },
  ]);
  const { crf, preset, audioBitrate: audioBitRate, container } = body;
  const options: ConversionOptions = { crf, preset, audioBitRate, container };
  return {
    type: 'conversion',
    parameters: { ...body, audioBitrate: `${audioBitRate / 1000}k` },
    projectId,
    input: (ids) => ({ ...ids, source: source?.artifact_id, options }),
    title: source?.file_name ?? 'conversion',
  };
}

/** @throws ProblemError `unknown_asset`, `unknown_project`, `validation_failed` */
export async function lipsyncRequest(
  db: Db,
  userId: string,
  { projectId, ...body }: z.output<typeof lipsyncSchema>,
  offered: OfferedProviders,
): Promise<JobRequest> {
  await assertOwnProject(db, userId, projectId);
  if (!offered.lipSync.has(body.provider)) throw refuseField('body.provider', 'is not configured here');
  checkPads(body.provider, body.pads);
  const [video, audio] = await resolveAssets(db, userId, [
    { path: 'body.videoAssetId', id: body.videoAssetId, kinds: ['video'] },
    { path: 'body.audioAssetId', id: body.audioAssetId, kinds: ['audio', 'voice_sample', 'music', 'video'] },
  ]);
  const { provider, pads } = body;
  return {
    type: 'lipsync',
    parameters: body,
    projectId,
    input: (ids) => ({ ...ids, video: video?.artifact_id, audio: audio?.artifact_id, provider, pads }),
    title: video?.file_name ?? 'lipsync',
  };
}
