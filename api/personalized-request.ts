import { z } from '@hono/zod-openapi';
import {
  changesPictures,
  insertModes,
  lipSyncProviders,
  maxSpans,
  namePositions,
  nameVoices,
  type PersonalizedOptions,
} from '../workflows/contract/personalized.js';
import type { ArtifactId } from '../workflows/contract/documents.js';
import { lipSyncPads } from './lip-sync-pads.js';
import { languageTag, storableText, userText } from './validation.js';

/** Length in UTF-16 units. */
const maxTranscript = 20_000;
const maxText = 500;

const spanSchema = z
  .strictObject({
    startSeconds: z.number().min(0).max(36_000),
    endSeconds: z.number().min(0).max(36_000),
    text: userText(maxText).optional(),
  })
  .refine((span) => span.endSeconds > span.startSeconds, {
    message: 'must end after it starts',
    path: ['endSeconds'],
  });

const markers = userText(1_000)
  .transform((list) =>
    list
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== ''),
  )
  .pipe(z.array(z.string().max(100)).min(1).max(maxSpans));

/** What `POST /personalized-videos` takes besides its files; the JSON form names these by their asset ids. */
export const personalizedShape = {
  nameColumn: userText(100).default('name'),
  insertMode: z.enum(insertModes).default('silver'),
  namePosition: z.enum(namePositions).default('start'),
  text: userText(maxText).default('{name}').openapi({
    description: 'What is said in place of a span: `{column}` stands for what the recipient has there.',
  }),
  lang: languageTag.default('en'),
  transcript: storableText(maxTranscript).optional().openapi({
    description:
      'What the base says, the parts to replace in brackets. `[friend|Hello {name}]` gives a part a text of its own.',
    example: 'Hello [friend], welcome to [our city|{city}].',
  }),
  placeholders: z.array(spanSchema).min(1).max(maxSpans).optional(),
  platinumPlaceholders: markers.optional().openapi({
    description: 'Words of the transcript to replace, in speaking order, each by the column of its name.',
    example: 'NAME1,NAME2',
  }),
  ttsProvider: z.enum(nameVoices).default('espeak'),
  voiceId: userText(100).optional().openapi({ description: "The provider's name of a voice." }),
  elevenlabsApiKey: z.string().min(10).max(200).optional().openapi({ format: 'password', writeOnly: true }),
  elevenlabsVoiceId: userText(100).optional(),
  elevenlabsModelId: userText(100).optional(),
  elevenlabsSpeed: z.number().min(0.7).max(1.2).default(1),
  lipSyncProvider: z.enum(lipSyncProviders).optional(),
  lipSyncFallback: z.boolean().default(false),
  pads: lipSyncPads.optional(),
  batchNameTts: z.boolean().default(false),
  batchSplitSilenceDb: z.number().min(-80).max(-10).default(-40),
  batchSplitSilenceSeconds: z.number().min(0.05).max(2).default(0.18),
  batchGapHint: userText(50).optional(),
  diamondNaturalName: z.boolean().default(true),
  diamondGapSeconds: z.number().min(0).max(2).default(0.12),
  silenceDb: z.number().min(-80).max(-10).default(-30),
  silenceSeconds: z.number().min(0.05).max(5).default(0.3),
  convertMov: z.boolean().default(false),
  dryRun: z.boolean().default(false),
  limit: z.int().min(1).max(10_000).optional(),
};

export type PersonalizedFields = z.output<z.ZodObject<typeof personalizedShape>>;

/** The options of a batch whose request has been checked. */
export function toPersonalizedOptions(
  body: PersonalizedFields,
  given: { sample: ArtifactId | null; credentialId: string | null },
): PersonalizedOptions {
  return {
    insertMode: body.insertMode,
    namePosition: body.namePosition,
    text: body.text,
    language: body.lang,
    transcript: body.transcript ?? null,
    spans: body.placeholders?.map((span) => ({ ...span, text: span.text ?? body.text })) ?? null,
    markers: body.platinumPlaceholders ?? null,
    voice: {
      provider: body.ttsProvider,
      voiceId: voiceIdOf(body) ?? null,
      modelId: body.elevenlabsModelId ?? null,
      speed: body.elevenlabsSpeed,
      credentialId: given.credentialId,
      sample: given.sample,
    },
    batch: {
      enabled: body.batchNameTts,
      splitSilenceDb: body.batchSplitSilenceDb,
      splitSilenceSeconds: body.batchSplitSilenceSeconds,
      gapHint: body.batchGapHint ?? null,
    },
    lipSync: {
      provider: body.lipSyncProvider ?? (changesPictures(body.insertMode) ? 'viseme' : 'none'),
      fallback: body.lipSyncFallback,
      ...(body.pads === undefined ? {} : { pads: body.pads }),
    },
    naturalSpeed: body.diamondNaturalName,
    gapSeconds: body.diamondGapSeconds,
    silence: { db: body.silenceDb, seconds: body.silenceSeconds },
    convert: body.convertMov,
  };
}

/** What stands under ElevenLabs' name is for no other provider. */
export function voiceIdOf({
  ttsProvider,
  elevenlabsVoiceId,
  voiceId,
}: PersonalizedFields): string | undefined {
  return ttsProvider === 'elevenlabs' ? (elevenlabsVoiceId ?? voiceId) : voiceId;
}
