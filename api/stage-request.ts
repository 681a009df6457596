import { z } from '@hono/zod-openapi';
import type { Storage } from '../storage/storage.js';
import type { StageInput } from '../workflows/contract/explainer.js';
import { maxScenes } from '../workflows/contract/options.js';
import type { RouteDeps } from './context.js';
import {
  hasOneSubject,
  isSpeakable,
  oneSubject,
  optionShape,
  speakable,
  subjectShape,
  titleOf,
  toOptions,
  unspeakable,
} from './explainer-request.js';
import { artifactsOf, assertOwn, documentLanguage } from './stage-artifacts.js';
import { languageTag, refuseField } from './validation.js';

const artifact = z
  .string()
  .regex(/^[0-9a-f]{64}\.json$/, 'must be the id of a JSON artifact')
  .openapi({ description: 'Artifact id, as `GET /jobs/{id}/artifacts` lists it.' });
const artifacts = z.array(artifact).min(1).max(maxScenes);

const { language, sceneCount, aspectRatio, resolution, theme, voice, captions, music, images } = optionShape;
const { transition, motion } = optionShape;
const frame = { aspectRatio, resolution };
const documentsLanguage = languageTag.optional().openapi({ description: "Without it the document's own." });

/** What each stage takes. */
export const stageShapes = {
  content: { ...subjectShape, language, sceneCount },
  scripts: { contentArtifact: artifact, language: documentsLanguage, sceneCount },
  images: { scriptArtifact: artifact, ...frame, theme, images, captions },
  voices: { scriptArtifact: artifact, language: documentsLanguage, voice },
  captions: { scriptArtifact: artifact, voiceArtifacts: artifacts, captions, transition, ...frame },
  assembly: {
    scriptArtifact: artifact,
    pictureArtifacts: artifacts,
    voiceArtifacts: artifacts,
    captionsArtifact: artifact,
    ...frame,
    captions,
    music,
    transition,
    motion,
  },
};

/** The body of each stage's own address. */
export const stageSchemas = {
  content: z.strictObject(stageShapes.content).refine(hasOneSubject, oneSubject).openapi('ContentStage'),
  scripts: z.strictObject(stageShapes.scripts).openapi('ScriptsStage'),
  images: z.strictObject(stageShapes.images).openapi('ImagesStage'),
  voices: z.strictObject(stageShapes.voices).refine(isSpeakable, speakable).openapi('VoicesStage'),
  captions: z.strictObject(stageShapes.captions).openapi('CaptionsStage'),
  assembly: z.strictObject(stageShapes.assembly).openapi('AssemblyStage'),
};

/** All of them in one, told apart by `stage`: the parameters of a `POST /jobs`. */
export const stageParameters = z.discriminatedUnion('stage', [
  z.strictObject({ stage: z.literal('content'), ...stageShapes.content }).refine(hasOneSubject, oneSubject),
  z.strictObject({ stage: z.literal('scripts'), ...stageShapes.scripts }),
  z.strictObject({ stage: z.literal('images'), ...stageShapes.images }),
  z.strictObject({ stage: z.literal('voices'), ...stageShapes.voices }).refine(isSpeakable, speakable),
  z.strictObject({ stage: z.literal('captions'), ...stageShapes.captions }),
  z.strictObject({ stage: z.literal('assembly'), ...stageShapes.assembly }),
]);

export type StageRequest = z.output<typeof stageParameters>;

/**
 * The workflow's input but for its ids. Every artifact must stand in a job of the user's own, as the kind that
 * the stage needs.
 *
 * @throws ProblemError `unknown_artifact` naming each path, `unknown_asset`, `validation_failed`,
 *   `storage_unavailable`
 */
export async function toStageInput(
  { db, storage }: Pick<RouteDeps, 'db' | 'storage'>,
  userId: string,
  request: StageRequest,
): Promise<Omit<StageInput, 'jobId' | 'userId'>> {
  const artifacts = artifactsOf(request);
  await assertOwn(db, userId, artifacts);
  const language = await languageOf(storage, request);
  const options = await toOptions(db, userId, {
    ...request,
    ...(language === undefined ? {} : { language }),
  });
  return { stage: request.stage, options, ...artifacts };
}

/** Of the stages whose language is their document's unless another is asked for. */
async function languageOf(storage: Storage, request: StageRequest): Promise<string | undefined> {
  if (request.stage === 'scripts') {
    return request.language ?? documentLanguage(storage, 'contentArtifact', request.contentArtifact);
  }
  if (request.stage !== 'voices') return undefined;
  const language =
    request.language ?? (await documentLanguage(storage, 'scriptArtifact', request.scriptArtifact));
  if (!isSpeakable({ ...request, language })) throw refuseField('body.language', unspeakable);
  return language;
}

export function stageTitle(request: StageRequest): string {
  return request.stage === 'content' ? `content: ${titleOf(request)}` : request.stage;
}
