import { z } from '@hono/zod-openapi';
import type { Db } from '../db/database.js';
import type { ArtifactId, SceneEdit } from '../workflows/contract/documents.js';
import { maxScenes } from '../workflows/contract/options.js';
import { resolveAssets } from './named-assets.js';
import { userText } from './validation.js';

const editShape = {
  heading: userText(200).optional(),
  narration: userText(5_000).optional(),
  bullets: z.array(userText(200)).max(8).optional(),
  imagePrompt: userText(1_000).optional(),
  imageAssetId: z.uuid().nullable().optional().openapi({
    description: 'A picture of yours to show instead of a drawn one; null takes it away again.',
  }),
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

/** One edit of a request. */
export type GivenEdit = { number: number } & z.output<typeof scenePatchSchema>;

/**
 * Edits as the workflow reads them: absent members stay as they are in the scene.
 * @param pathOf where the edit of this index stands in the request.
 * @throws ProblemError `unknown_asset`
 */
export async function toEdits(
  db: Db,
  userId: string,
  edits: readonly GivenEdit[],
  pathOf: (index: number) => string,
): Promise<SceneEdit[]> {
  const named = edits.flatMap(({ imageAssetId: id }, index) =>
    id == null ? [] : [{ path: `${pathOf(index)}.imageAssetId`, id, kinds: ['image'] as const }],
  );
  const assets = await resolveAssets(db, userId, named);
  const pictures = new Map(
    assets.map((asset) => [asset.id, asset.rendition_artifact_id ?? asset.artifact_id]),
  );
  return edits.map((edit) => toEdit(edit, pictures));
}

/** Scene by scene: what the later edits say stands, and what only the earlier ones say stays. */
export function mergeEdits(earlier: readonly SceneEdit[], later: readonly SceneEdit[]): SceneEdit[] {
  const byScene = new Map(earlier.map((edit) => [edit.number, edit]));
  for (const edit of later) byScene.set(edit.number, { ...byScene.get(edit.number), ...edit });
  return [...byScene.values()];
}

function toEdit(edit: GivenEdit, pictures: ReadonlyMap<string, ArtifactId>): SceneEdit {
  const { number, heading, narration, bullets, imagePrompt, imageAssetId } = edit;
  const picture = imageAssetId == null ? imageAssetId : pictures.get(imageAssetId);
  return {
    number,
    ...(heading === undefined ? {} : { heading }),
    ...(narration === undefined ? {} : { narration }),
    ...(bullets === undefined ? {} : { bullets }),
    ...(imagePrompt === undefined ? {} : { imagePrompt }),
    ...(picture === undefined ? {} : { imageArtifact: picture }),
  };
}
