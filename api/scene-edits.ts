import { z } from '@hono/zod-openapi';
import type { SceneEdit } from '../workflows/contract/documents.js';
import { maxScenes } from '../workflows/contract/options.js';
import { userText } from './validation.js';

const editShape = {
  heading: userText(200).optional(),
  narration: userText(5_000).optional(),
  bullets: z.array(userText(200)).max(8).optional(),
  imagePrompt: userText(1_000).optional(),
};

/** The body of a scene's PATCH: at least one change. */
export const scenePatchSchema = z
  .strictObject(editShape)
  .refine((patch) => Object.keys(patch).length > 0, 'needs at least one change')
  .openapi('ScenePatch', { minProperties: 1 });

const sceneEditSchema = z.strictObject({ number: z.int().min(1).max(maxScenes), ...editShape });

/** The body of an approval. */
export const approvalSchema = z
  .strictObject({
    approved: z.boolean(),
    edits: z
      .array(sceneEditSchema)
      .max(maxScenes)
      .refine((edits) => new Set(edits.map((edit) => edit.number)).size === edits.length, {
        message: 'must name each scene at most once',
      })
      .optional(),
  })
  .openapi('Approval');

/** Edits as the workflow reads them: absent members stay as they are in the scene. */
export function toEdits(edits: z.output<typeof sceneEditSchema>[]): SceneEdit[] {
  return edits.map(toEdit);
}

export function toEdit(edit: { number: number } & z.output<typeof scenePatchSchema>): SceneEdit {
  const { number, heading, narration, bullets, imagePrompt } = edit;
  return {
    number,
    ...(heading === undefined ? {} : { heading }),
    ...(narration === undefined ? {} : { narration }),
    ...(bullets === undefined ? {} : { bullets }),
    ...(imagePrompt === undefined ? {} : { imagePrompt }),
  };
}
