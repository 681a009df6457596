import type { Context } from 'hono';
import type { AppEnv, RouteDeps } from './context.js';
import { ProblemError } from './errors.js';
import { fileNameSchema } from './file-name.js';
import { makeAsset } from './keep-asset.js';
import { conversionSchema, conversionShape, type ConversionBody } from './media-job-request.js';
import { assertOwnProject } from './own-project.js';
import { withIntakeFile } from './receive-file.js';
import { receiveForm } from './receive-form.js';
import { createUploadPlaces } from './upload-places.js';
import { fieldErrors, refuseField } from './validation.js';

const fieldNames = Object.keys(conversionShape);

/** For the document: the body is read as it comes. */
export const conversionForm = {
  type: 'object' as const,
  properties: {
    baseVideo: { type: 'string' as const, format: 'binary' },
    ...Object.fromEntries(fieldNames.map((name) => [name, { type: 'string' as const }])),
  },
  required: ['baseVideo'],
  additionalProperties: false,
};

const places = createUploadPlaces();

/**
 * A conversion as a form: its file becomes an asset of the user's.
 * @throws ProblemError as `receiveForm` and `makeAsset`; `validation_failed`, `unknown_project`
 */
export function receiveConversion(deps: RouteDeps, c: Context<AppEnv>): Promise<ConversionBody> {
  const { intake } = deps;
  const userId = c.var.user.id;
  return places.take(userId, () =>
    withIntakeFile(intake.dir, async (path) => {
      const { fields, file } = await receiveForm(c, path, {
        fileField: 'baseVideo',
        fields: fieldNames,
        maxBytes: () => intake.maxBytes.video,
      });
      const { crf, ...others } = fields;
      const typed = { ...others, ...(crf === undefined ? {} : { crf: Number(crf) }) };
      // Which asset the file becomes is known only once all else has been found to be right.
      const standIn = '00000000-0000-4000-8000-000000000000';
      const checked = conversionSchema.safeParse({ ...typed, assetId: standIn });
      if (!checked.success) {
        throw new ProblemError('validation_failed', { errors: fieldErrors(checked.error, 'body') });
      }
      if (file === undefined) throw refuseField('body.baseVideo', 'is required');
      const name = fileNameSchema.safeParse(file.fileName);
      if (!name.success) {
        throw refuseField('body.baseVideo', `file name ${name.error.issues[0]?.message ?? ''}`);
      }
      const { projectId } = checked.data;
      await assertOwnProject(deps.db, userId, projectId);
      const incoming = { userId, kind: 'video' as const, projectId, fileName: name.data, file };
      const { asset } = await makeAsset(deps, incoming);
      return { ...checked.data, assetId: asset.id };
    }),
  );
}
