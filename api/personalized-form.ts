import type { Context } from 'hono';
import type { AssetKind } from '../workflows/contract/assets.js';
import type { AppEnv, RouteDeps } from './context.js';
import { ProblemError } from './errors.js';
import { fileNameSchema } from './file-name.js';
import { inspectAsset, publishAsset, type InspectedAsset } from './keep-asset.js';
import {
  personalizedSchema,
  type BatchFile,
  type BroughtFiles,
  type PersonalizedBody,
} from './personalized-job.js';
import { personalizedShape } from './personalized-request.js';
import { withIntakeFile } from './receive-file.js';
import { receiveParts, type NamedFile } from './receive-form.js';
import { readTableFile } from './recipients-table.js';
import { typedFields } from './typed-fields.js';
import { createUploadPlaces } from './upload-places.js';
import { fieldErrors, refuseField } from './validation.js';

/** The files of a batch, each with the kind of asset that it becomes and the field that names that. */
const parts = {
  baseVideo: { kind: 'video', field: 'baseVideoAssetId' },
  recipients: { kind: 'recipients', field: 'recipientsAssetId' },
  voiceSample: { kind: 'voice_sample', field: 'voiceSampleAssetId' },
} as const satisfies Record<string, { kind: AssetKind; field: keyof PersonalizedBody }>;
type PartName = keyof typeof parts;
const partNames: readonly PartName[] = ['baseVideo', 'recipients', 'voiceSample'];

const fieldNames = [
  'projectId',
  ...Object.keys(personalizedShape),
  ...partNames.map((name) => parts[name].field),
];
/** A transcript is the longest. */
const fieldBytes = 80_000;

/** For the document: the body is read as it comes, not collected to be validated. */
export const personalizedForm = {
  type: 'object' as const,
  properties: Object.fromEntries([
    ...partNames.map((name) => [name, { type: 'string', format: 'binary' }]),
    ...fieldNames.map((name) => [name, { type: 'string' }]),
  ]) as Record<string, { type: 'string'; format?: string }>,
  additionalProperties: false,
};

const places = createUploadPlaces();

type FormFiles = Record<string, NamedFile | undefined>;

/** A batch that came as a form, as long as its files are there. */
export interface BatchForm {
  /** Files are named in it by ids that are no one's until they are kept. */
  body: PersonalizedBody;
  /** The same for the same form. */
  fingerprint: string;
  /**
   * Looks at the files; nothing of them is stored yet.
   * @throws ProblemError as `inspectAsset`; `invalid_recipients`
   */
  look(): Promise<FormContents>;
}

export interface FormContents {
  brought: BroughtFiles;
  /** Makes assets of the files. @returns their ids, by the fields that name them. @throws as `publishAsset` */
  keep(): Promise<Record<string, string>>;
}

/**
 * A batch as a multipart form: its fields are read as JSON's would be, its files go when `use` is done.
 * @throws ProblemError as `receiveParts`; `validation_failed`
 */
export function receivePersonalized<T>(
  deps: RouteDeps,
  c: Context<AppEnv>,
  use: (form: BatchForm) => Promise<T>,
): Promise<T> {
  const { intake } = deps;
  return places.take(c.var.user.id, () =>
    withIntakeFile(intake.dir, (base) =>
      withIntakeFile(intake.dir, (list) =>
        withIntakeFile(intake.dir, async (sample) => {
          const part = (path: string, kind: AssetKind) => ({ path, maxBytes: () => intake.maxBytes[kind] });
          const { fields, files } = await receiveParts(c, {
            files: {
              baseVideo: part(base, 'video'),
              recipients: part(list, 'recipients'),
              voiceSample: part(sample, 'voice_sample'),
            },
            fields: fieldNames,
            fieldBytes,
          });
          return use(assemble(deps, c.var.user.id, fields, files));
        }),
      ),
    ),
  );
}

function assemble(
  deps: RouteDeps,
  userId: string,
  fields: Record<string, string>,
  files: FormFiles,
): BatchForm {
  const standIn = '00000000-0000-4000-8000-000000000000';
  const given = partNames.filter((name) => files[name] !== undefined);
  const ids = Object.fromEntries(given.map((name) => [parts[name].field, standIn]));
  const body = parse({ ...typedFields(fields), ...ids });
  for (const name of given) {
    const { field } = parts[name];
    if ((fields[field] ?? '') !== '') throw refuseField(`body.${field}`, `is given as ${name} already`);
    const file = fileNameSchema.safeParse(files[name]?.fileName);
    if (!file.success) throw refuseField(`body.${name}`, `file name ${file.error.issues[0]?.message ?? ''}`);
  }
  const hashes = given.map((name) => [name, files[name]?.fileName, files[name]?.sha256]);
  return {
    body,
    fingerprint: JSON.stringify({ ...body, files: hashes }),
    look: () => lookAtFiles(deps, userId, body, files),
  };
}

async function lookAtFiles(
  deps: RouteDeps,
  userId: string,
  body: PersonalizedBody,
  files: FormFiles,
): Promise<FormContents> {
  const list = files['recipients'];
  const table = list && (await readTableFile(list.path, body.nameColumn));
  const inspected: Partial<Record<PartName, InspectedAsset>> = {};
  for (const name of partNames) {
    const file = files[name];
    if (file === undefined) continue;
    const { kind } = parts[name];
    const incoming = { userId, kind, projectId: body.projectId, fileName: file.fileName, file };
    inspected[name] = await inspectAsset(deps, incoming);
  }
  const { baseVideo, voiceSample } = inspected;
  return {
    brought: {
      ...(baseVideo && { base: batchFile(baseVideo) }),
      ...(voiceSample && { sample: batchFile(voiceSample) }),
      ...(table && { table }),
    },
    async keep() {
      const ids: Record<string, string> = {};
      for (const name of partNames) {
        const file = inspected[name];
        if (file !== undefined) ids[parts[name].field] = (await publishAsset(deps, file)).asset.id;
      }
      return ids;
    },
  };
}

function batchFile({ artifactId, fileName, found }: InspectedAsset): BatchFile {
  return { artifact_id: artifactId, file_name: fileName, media: found.media };
}

function parse(value: unknown): PersonalizedBody {
  const parsed = personalizedSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const byFile = new Map<string, string>(
    partNames.map((name) => [`body.${parts[name].field}`, `body.${name}`]),
  );
  const errors = fieldErrors(parsed.error, 'body').map((error) => ({
    ...error,
    path: byFile.get(error.path) ?? error.path,
  }));
  throw new ProblemError('validation_failed', { errors });
}
