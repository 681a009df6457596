import { z } from '@hono/zod-openapi';
import { kindsOfOwnArtifacts } from '../db/jobs.js';
import type { Db } from '../db/database.js';
import type { ArtifactId } from '../workflows/contract/documents.js';
import type { StageInput } from '../workflows/contract/explainer.js';
import { maxScenes } from '../workflows/contract/options.js';
import { ProblemError, type FieldError } from './errors.js';
import {
  hasOneSubject,
  isSpeakable,
  oneSubject,
  optionShape,
  speakable,
  subjectShape,
  titleOf,
  toOptions,
} from './explainer-request.js';

const artifact = z
  .string()
  .regex(/^[0-9a-f]{64}\.json$/, 'must be the id of a JSON artifact')
  .openapi({ description: 'Artifact id, as `GET /jobs/{id}/artifacts` lists it.' });
const artifacts = z.array(artifact).min(1).max(maxScenes);

const { language, sceneCount, aspectRatio, resolution, theme, voice, captions, music, images } = optionShape;
const { transition, motion } = optionShape;
const frame = { aspectRatio, resolution };

/** What each stage takes. */
export const stageShapes = {
  content: { ...subjectShape, language, sceneCount },
  scripts: { contentArtifact: artifact, language, sceneCount },
  images: { scriptArtifact: artifact, ...frame, theme, images, captions },
  voices: { scriptArtifact: artifact, language, voice },
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

interface StageArtifacts {
  content: ArtifactId | null;
  script: ArtifactId | null;
  pictures: ArtifactId[];
  voices: ArtifactId[];
  captions: ArtifactId | null;
}

function artifactsOf(request: StageRequest): StageArtifacts {
  const none: StageArtifacts = { content: null, script: null, pictures: [], voices: [], captions: null };
  switch (request.stage) {
    case 'content':
      return none;
    case 'scripts':
      return { ...none, content: request.contentArtifact };
    case 'images':
    case 'voices':
      return { ...none, script: request.scriptArtifact };
    case 'captions':
      return { ...none, script: request.scriptArtifact, voices: request.voiceArtifacts };
    case 'assembly':
      return {
        ...none,
        script: request.scriptArtifact,
        pictures: request.pictureArtifacts,
        voices: request.voiceArtifacts,
        captions: request.captionsArtifact,
      };
  }
}

/**
 * The workflow's input but for its ids. Every artifact must stand in a job of the user's own, as the kind that
 * the stage needs.
 *
 * @throws ProblemError `unknown_artifact` naming each path, `unknown_asset`
 */
export async function toStageInput(
  db: Db,
  userId: string,
  request: StageRequest,
): Promise<Omit<StageInput, 'jobId' | 'userId'>> {
  const inputs = artifactsOf(request);
  await assertOwn(db, userId, inputs);
  return { stage: request.stage, options: await toOptions(db, userId, request), ...inputs };
}

async function assertOwn(db: Db, userId: string, inputs: StageArtifacts): Promise<void> {
  const named = [
    { path: 'contentArtifact', kind: 'content', id: inputs.content },
    { path: 'scriptArtifact', kind: 'script', id: inputs.script },
    ...inputs.pictures.map((id, index) => ({ path: `pictureArtifacts.${index}`, kind: 'picture', id })),
    ...inputs.voices.map((id, index) => ({ path: `voiceArtifacts.${index}`, kind: 'voice', id })),
    { path: 'captionsArtifact', kind: 'captions', id: inputs.captions },
  ].flatMap(({ path, kind, id }) => (id === null ? [] : [{ path, kind, id }]));
  const ids = [...new Set(named.map(({ id }) => id))];
  const kinds = await kindsOfOwnArtifacts(db, userId, ids);
  const errors: FieldError[] = named
    .filter(({ id, kind }) => kinds.get(id)?.has(kind) !== true)
    .map(({ path, kind }) => ({ path: `body.${path}`, message: `is no ${kind} artifact of yours` }));
  if (errors.length > 0) throw new ProblemError('unknown_artifact', { errors });
}

export function stageTitle(request: StageRequest): string {
  return request.stage === 'content' ? `content: ${titleOf(request)}` : request.stage;
}
