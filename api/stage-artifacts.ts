import { z } from '@hono/zod-openapi';
import type { Db } from '../db/database.js';
import { kindsOfOwnArtifacts } from '../db/jobs.js';
import type { Storage } from '../storage/storage.js';
import type { ArtifactId } from '../workflows/contract/documents.js';
import type { StageInput } from '../workflows/contract/explainer.js';
import { ProblemError, type FieldError } from './errors.js';
import { readDocument } from './read-stored.js';
import type { StageRequest } from './stage-request.js';

/** What earlier stages made for this one. */
type StageArtifacts = Pick<StageInput, 'content' | 'script' | 'pictures' | 'voices' | 'captions'>;

export function artifactsOf(request: StageRequest): StageArtifacts {
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

/** @throws ProblemError `unknown_artifact` naming each path that is not the user's own or of another kind */
export async function assertOwn(db: Db, userId: string, inputs: StageArtifacts): Promise<void> {
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

/** What content and scripts both say. */
const languageSchema = z.object({ language: z.string() });

/**
 * The language that a content or a script is in.
 * @param field where it stands in the request
 * @throws ProblemError `unknown_artifact` when its file is gone, `storage_unavailable`
 */
export async function documentLanguage(storage: Storage, field: string, id: ArtifactId): Promise<string> {
  const document = await readDocument(storage, id, languageSchema);
  if (document !== undefined) return document.language;
  const errors = [{ path: `body.${field}`, message: 'is no longer in storage' }];
  throw new ProblemError('unknown_artifact', { errors });
}
