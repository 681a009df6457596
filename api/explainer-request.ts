import { z } from '@hono/zod-openapi';
import type { Db } from '../db/database.js';
import {
  aspectRatios,
  builtinMusic,
  captionModes,
  captionStyles,
  maxScenes,
  motions,
  pictureProviders,
  resolutions,
  themes,
  transitions,
  type ExplainerOptions,
  type MusicChoice,
} from '../workflows/contract/options.js';
import { espeakVoiceFor, espeakVoices, voiceProviders } from '../workflows/contract/voices.js';
import { resolveAssets, soundKinds } from './named-assets.js';
import { languageTag, userText } from './validation.js';

/** Length in UTF-16 units that a body may carry. */
const maxPrompt = 10_000;
const maxSource = 100_000;

const volumeDb = z.number().min(-40).max(12).default(0);

const knownVoices: ReadonlySet<string> = new Set(espeakVoices);

const voiceSchema = z.strictObject({
  provider: z.enum(voiceProviders).default('espeak'),
  voiceId: z
    .string()
    .max(100)
    .refine(
      (voice) => knownVoices.has(voice),
      'is not a voice of this provider, such as en-us, en-gb+f2 or hi',
    )
    .nullable()
    .default(null)
    .openapi({ description: 'Without it the voice follows the language.', example: 'en-us' }),
  speed: z.number().min(0.5).max(2).default(1),
});

const captionsSchema = z.strictObject({
  mode: z.enum(captionModes).default('burned'),
  style: z.enum(captionStyles).default('classic'),
});

const musicSchema = z
  .strictObject({ builtin: z.enum(builtinMusic).optional(), assetId: z.uuid().optional(), volumeDb })
  .refine((music) => (music.builtin === undefined) !== (music.assetId === undefined), {
    message: 'needs either builtin or assetId',
  });

/** The options of an explainer with their defaults; the stages take those that concern them. */
export const optionShape = {
  language: languageTag.default('en'),
  sceneCount: z.int().min(1).max(maxScenes).nullable().default(null),
  aspectRatio: z.enum(aspectRatios).default('16:9'),
  resolution: z.enum(resolutions).default('1080p'),
  theme: z.enum(themes).default('midnight'),
  voice: voiceSchema.prefault({}),
  captions: captionsSchema.prefault({}),
  music: musicSchema.nullable().default(null),
  images: z.strictObject({ provider: z.enum(pictureProviders).default('slides') }).prefault({}),
  transition: z.enum(transitions).default('fade'),
  motion: z.enum(motions).default('kenburns'),
};

/** What a video is to be about: exactly one of the two. */
export const subjectShape = {
  prompt: userText(maxPrompt).optional().openapi({ description: 'A topic to write about.' }),
  source: userText(maxSource).optional().openapi({ description: "The user's own text, Markdown or plain." }),
  title: userText(200).optional(),
};

interface Subject {
  prompt?: string | undefined;
  source?: string | undefined;
}

/** For `refine` on an object of {@link subjectShape}. */
export const hasOneSubject = (body: Subject): boolean =>
  (body.prompt === undefined) !== (body.source === undefined);
export const oneSubject = { message: 'needs either prompt or source', path: ['prompt'] };

/** For `refine` where something is spoken: without a voice the language must have one. */
export const isSpeakable = (body: {
  language?: string | undefined;
  voice: { voiceId: string | null };
}): boolean =>
  body.language === undefined || body.voice.voiceId !== null || espeakVoiceFor(body.language) !== undefined;
export const unspeakable = 'no voice speaks this language; name one in voice.voiceId';
export const speakable = { message: unspeakable, path: ['language'] };

export const explainerSchema = z
  .strictObject({
    ...subjectShape,
    ...optionShape,
    review: z.literal('script').nullable().default(null),
  })
  .refine(hasOneSubject, oneSubject)
  .refine(isSpeakable, speakable)
  .openapi('ExplainerParameters');

export type ExplainerParameters = z.output<typeof explainerSchema>;

/** Takes out of a request what concerns the options, with their defaults: a stage names only some of them. */
const optionsSchema = z.object(optionShape);

/**
 * The options as a workflow reads them, with the files of the assets that they name.
 * @throws ProblemError `unknown_asset`.
 */
export async function toOptions(
  db: Db,
  userId: string,
  given: Partial<z.output<typeof optionsSchema>> & { review?: 'script' | null },
): Promise<ExplainerOptions> {
  const { music, ...options } = optionsSchema.parse(given);
  return { ...options, music: await toMusic(db, userId, music), review: given.review ?? null };
}

async function toMusic(
  db: Db,
  userId: string,
  music: z.output<typeof musicSchema> | null,
): Promise<MusicChoice | null> {
  if (music === null) return null;
  const { builtin, assetId, volumeDb } = music;
  if (builtin !== undefined) return { builtin, volumeDb };
  const named = [{ path: 'body.music.assetId', id: assetId ?? '', kinds: soundKinds }];
  const [asset] = await resolveAssets(db, userId, named);
  return asset === undefined ? null : { artifact: asset.artifact_id, volumeDb };
}

/** The line that operators and lists show: the title, else how the text begins. */
export function titleOf(parameters: Subject & { title?: string | undefined }): string {
  const text = parameters.title ?? parameters.prompt ?? parameters.source ?? '';
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, 100);
}
