import { readFile } from 'node:fs/promises';
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
import { checkTexts } from './personalized-texts.js';
import { personalizedShape, toPersonalizedOptions } from './personalized-request.js';
import { readAsset } from './read-asset.js';
import { readRecipients, type Recipient, type RecipientTable } from './recipients/read-recipients.js';
import { RecipientsRefusedError } from './recipients/recipient-rows.js';
import { refuseField } from './validation.js';

/** A batch whose files are assets already. */
export const personalizedSchema = z
  .strictObject({
    baseVideoAssetId: z.uuid(),
    recipientsAssetId: z.uuid(),
    voiceSampleAssetId: z.uuid().optional(),
    projectId: z.uuid().nullable().default(null),
    ...personalizedShape,
  })
  .openapi('PersonalizedVideos');

export type PersonalizedBody = z.output<typeof personalizedSchema>;

export interface CheckedBatch {
  request: JobRequest;
  table: RecipientTable;
  /** Those that the batch is for, after `limit`. */
  recipients: Recipient[];
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
): Promise<CheckedBatch> {
  await assertOwnProject(deps.db, userId, body.projectId);
  const [base, list, sample] = await resolveAssets(deps.db, userId, namedAssets(body));
  if (base === undefined || list === undefined) throw new ProblemError('unknown_asset');
  checkBase(base, body);
  const replacements = transcriptTexts(body);
  const table = await readTable(deps, list, body.nameColumn);
  const recipients = table.recipients.slice(0, body.limit);
  await checkTexts(body, replacements, table.columns, recipients);
  const options = toPersonalizedOptions(body, {
    sample: sample?.artifact_id ?? null,
    credentialId,
    offered: deps.offered,
  });
  // A key is nothing that a job shows.
  const { elevenlabsApiKey: _, ...parameters } = body;
  const request: JobRequest = {
    type: 'personalized',
    parameters,
    projectId: body.projectId,
    input: (ids) => ({ ...ids, options, base: base.artifact_id, recipientCount: recipients.length }),
    title: `${recipients.length} × ${base.file_name}`,
    items: recipients.map((_recipient, position) => String(position)),
    within: (trx, jobId) => insertRecipients(trx, jobId, recipients),
  };
  return { request, table, recipients };
}

function namedAssets(body: PersonalizedBody): NamedAsset[] {
  const isSilver = body.insertMode === 'silver';
  return [
    {
      path: 'body.baseVideoAssetId',
      id: body.baseVideoAssetId,
      kinds: isSilver ? ['video', 'audio'] : ['video'],
    },
    { path: 'body.recipientsAssetId', id: body.recipientsAssetId, kinds: ['recipients'] },
    ...(body.voiceSampleAssetId === undefined
      ? []
      : [
          {
            path: 'body.voiceSampleAssetId',
            id: body.voiceSampleAssetId,
            kinds: ['voice_sample', 'audio'] as const,
          },
        ]),
  ];
}

const copied = new Set(['h264', 'hevc']);

function checkBase({ media }: AssetRow, body: PersonalizedBody): void {
  const path = 'body.baseVideoAssetId';
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

/** @throws ProblemError `invalid_recipients` naming every row that is wrong */
async function readTable(deps: RouteDeps, list: AssetRow, nameColumn: string): Promise<RecipientTable> {
  return namingRows(async () => readRecipients(await readAsset(deps.storage, list), nameColumn));
}

/** The same of a file that has just come. @throws ProblemError `invalid_recipients` */
export async function readTableFile(path: string, nameColumn: string): Promise<RecipientTable> {
  return namingRows(async () => readRecipients(await readFile(path), nameColumn));
}

async function namingRows(read: () => Promise<RecipientTable>): Promise<RecipientTable> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof RecipientsRefusedError)) throw error;
    throw new ProblemError('invalid_recipients', {
      errors: error.problems.map(({ row, column, message }) => ({
        path: ['recipients', row === null ? null : `row ${row}`, column]
          .filter((part) => part !== null)
          .join('.'),
        message,
      })),
      cause: error,
    });
  }
}
