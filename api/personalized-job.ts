import { z } from '@hono/zod-openapi';
import type { AssetRow } from '../db/assets.js';
import { insertRecipients } from '../db/recipients.js';
import { markWords, parseMarkedTranscript } from '../workflows/contract/marked-transcript.js';
import { maxSpans, type InsertMode } from '../workflows/contract/personalized.js';
import type { JobRequest } from './accept-job.js';
import type { RouteDeps } from './context.js';
import { ProblemError } from './errors.js';
import { resolveAssets, type NamedAsset } from './named-assets.js';
import { assertOwnProject } from './own-project.js';
import { checkProviders } from './personalized-providers.js';
import { checkSpans } from './personalized-spans.js';
import { checkTexts } from './personalized-texts.js';
import { personalizedShape, toPersonalizedOptions } from './personalized-request.js';
import { readTable } from './recipients-table.js';
import type { Recipient, RecipientTable } from './recipients/read-recipients.js';
import { refuseField } from './validation.js';

/** A batch whose files are assets already. */
const shape = {
  baseVideoAssetId: z.uuid(),
  recipientsAssetId: z.uuid(),
  voiceSampleAssetId: z.uuid().optional(),
  ...personalizedShape,
};

/** As a job of any type. */
export const personalizedParameters = z.strictObject(shape).openapi('PersonalizedParameters');

/** The body of `POST /personalized-videos`. */
export const personalizedSchema = z
  .strictObject({ ...shape, projectId: z.uuid().nullable().default(null) })
  .openapi('PersonalizedVideos');

export type PersonalizedBody = z.output<typeof personalizedSchema>;

export interface CheckedBatch {
  request: JobRequest;
  table: RecipientTable;
  /** Those that the batch is for, after `limit`. */
  recipients: Recipient[];
}

/** A file of a batch, an asset or about to be one. */
export type BatchFile = Pick<AssetRow, 'artifact_id' | 'file_name' | 'media'>;

/** What came with the request itself, in place of assets that it would name. */
export interface BroughtFiles {
  base?: BatchFile;
  sample?: BatchFile;
  table?: RecipientTable;
}

/**
 * Checks everything of a batch that can be known before it runs: its files, every row, every text.
 * @throws ProblemError `unknown_asset`, `unknown_project`, `invalid_recipients`, `validation_failed`
 */
export async function checkBatch(
  deps: RouteDeps,
  userId: string,
  body: PersonalizedBody,
  credentialId: string | null,
  brought: BroughtFiles = {},
): Promise<CheckedBatch> {
  await assertOwnProject(deps.db, userId, body.projectId);
  const named = namedAssets(body, brought);
  const assets = await resolveAssets(deps.db, userId, Object.values(named));
  const byName = Object.fromEntries(Object.keys(named).map((name, index) => [name, assets[index]]));
  const { base = byName['base'], sample = byName['sample'] } = brought;
  if (base === undefined) throw new ProblemError('unknown_asset');
  checkSpans(body);
  checkProviders(body, { hasSample: sample !== undefined, credentialId, offered: deps.offered });
  checkBase(base, body, brought.base === undefined ? 'body.baseVideoAssetId' : 'body.baseVideo');
  const replacements = transcriptTexts(body);
  const table = brought.table ?? (await readNamedTable(deps, byName['list'], body));
  const recipients = table.recipients.slice(0, body.limit);
  await checkTexts(body, replacements, table.columns, recipients);
  const options = toPersonalizedOptions(body, { sample: sample?.artifact_id ?? null, credentialId });
  // A key is nothing that a job shows.
  const { elevenlabsApiKey: _, projectId, ...parameters } = body;
  const request: JobRequest = {
    type: 'personalized',
    parameters,
    projectId,
    input: (ids) => ({ ...ids, options, base: base.artifact_id, recipientCount: recipients.length }),
    title: `${recipients.length} × ${base.file_name}`,
    items: recipients.map((_recipient, position) => String(position)),
    within: (trx, jobId) => insertRecipients(trx, jobId, recipients),
  };
  return { request, table, recipients };
}

function readNamedTable(
  deps: RouteDeps,
  list: AssetRow | undefined,
  { nameColumn }: PersonalizedBody,
): Promise<RecipientTable> {
  if (list === undefined) throw new ProblemError('unknown_asset');
  return readTable(deps, list, nameColumn);
}

/** Those assets that did not come with the request. */
function namedAssets(body: PersonalizedBody, brought: BroughtFiles): Record<string, NamedAsset> {
  const isSilver = body.insertMode === 'silver';
  const { baseVideoAssetId, recipientsAssetId, voiceSampleAssetId } = body;
  const base: NamedAsset = {
    path: 'body.baseVideoAssetId',
    id: baseVideoAssetId,
    kinds: isSilver ? ['video', 'audio'] : ['video'],
  };
  const list: NamedAsset = { path: 'body.recipientsAssetId', id: recipientsAssetId, kinds: ['recipients'] };
  return {
    ...(brought.base === undefined ? { base } : {}),
    ...(brought.table === undefined ? { list } : {}),
    ...(brought.sample === undefined && voiceSampleAssetId !== undefined
      ? {
          sample: {
            path: 'body.voiceSampleAssetId',
            id: voiceSampleAssetId,
            kinds: ['voice_sample', 'audio'] as const,
          },
        }
      : {}),
  };
}

const copied = new Set(['h264', 'hevc']);

function checkBase({ media }: BatchFile, body: PersonalizedBody, path: string): void {
  if (media.audioCodec === null) throw refuseField(path, 'has no sound to replace words in');
  const end = Math.max(0, ...(body.placeholders ?? []).map(({ endSeconds }) => endSeconds));
  if (media.durationSeconds !== null && end > media.durationSeconds + 0.05) {
    throw refuseField(
      'body.placeholders',
      `reach beyond the ${media.durationSeconds.toFixed(1)} s of the base`,
    );
  }
  if (body.insertMode === 'silver') return;
  if (media.videoCodec === null) throw refuseField(path, needsPicture(body.insertMode));
  if (!copied.has(media.videoCodec) && !body.convertMov) {
    throw refuseField('body.convertMov', `must be true for a base in ${media.videoCodec}`);
  }
}

const needsPicture = (mode: InsertMode): string => `has no picture, which insertMode ${mode} needs`;

/** What the brackets of a transcript say instead. */
function transcriptTexts({ transcript, platinumPlaceholders }: PersonalizedBody): string[] {
  if (transcript === undefined) return [];
  const marked =
    platinumPlaceholders === undefined
      ? parseMarkedTranscript(transcript)
      : markWords(transcript, platinumPlaceholders);
  if ('problem' in marked) {
    throw refuseField('body.transcript', `${marked.problem} (character ${marked.position})`);
  }
  if (marked.parts.length > maxSpans) {
    throw refuseField('body.transcript', `has more than ${maxSpans} parts to replace`);
  }
  return marked.parts.flatMap(({ replacement }) => (replacement === null ? [] : [replacement]));
}
