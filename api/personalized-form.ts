import type { Context } from 'hono';
import type { AssetKind } from '../workflows/contract/assets.js';
import type { AppEnv, RouteDeps } from './context.js';
import { ProblemError } from './errors.js';
import { fileNameSchema } from './file-name.js';
import { makeAsset } from './keep-asset.js';
import { personalizedSchema, readTableFile, type PersonalizedBody } from './personalized-job.js';
import { personalizedShape } from './personalized-request.js';
import { withIntakeFile } from './receive-file.js';
import { receiveParts, type NamedFile } from './receive-form.js';
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

/**
 * A batch as a multipart form: its files become assets of the user's, its fields are read as JSON's would be.
 * @throws ProblemError as `receiveParts` and `makeAsset`; `validation_failed`, `invalid_recipients`
 */
export function receivePersonalized(deps: RouteDeps, c: Context<AppEnv>): Promise<PersonalizedBody> {
  const { intake } = deps;
  return places.take(c.var.user.id, () =>
    withIntakeFile(intake.dir, (base) =>
      withIntakeFile(intake.dir, (list) =>
        withIntakeFile(intake.dir, async (sample) => {
          const part = (path: string, kind: AssetKind) => ({ path, maxBytes: () => intake.maxBytes[kind] });
          const form = await receiveParts(c, {
            files: {
              baseVideo: part(base, 'video'),
              recipients: part(list, 'recipients'),
              voiceSample: part(sample, 'voice_sample'),
            },
            fields: fieldNames,
            fieldBytes,
          });
          return assemble(deps, c.var.user.id, form);
        }),
      ),
    ),
  );
}

/** Nothing becomes an asset before the fields and the rows have been looked at. */
async function assemble(
  deps: RouteDeps,
  userId: string,
  form: { fields: Record<string, string>; files: Record<string, NamedFile | undefined> },
): Promise<PersonalizedBody> {
  const typed = typedFields(form.fields);
  // An id that is no one's: which asset a file becomes is known only once all else has been found to be right.
  const standIn = '00000000-0000-4000-8000-000000000000';
  const given = partNames.filter((name) => form.files[name] !== undefined);
  const ids = Object.fromEntries(given.map((name) => [parts[name].field, standIn]));
  const body = parse({ ...typed, ...ids });
  for (const name of given) {
    const file = fileNameSchema.safeParse(form.files[name]?.fileName);
    if (!file.success) throw refuseField(`body.${name}`, `file name ${file.error.issues[0]?.message ?? ''}`);
  }
  const list = form.files['recipients'];
  if (list !== undefined) await readTableFile(list.path, body.nameColumn);
  const made: Record<string, string> = {};
  for (const name of given) {
    const file = form.files[name];
    if (file === undefined) continue;
    const { kind, field } = parts[name];
    const incoming = { userId, kind, projectId: body.projectId, fileName: file.fileName, file };
    made[field] = (await makeAsset(deps, incoming)).asset.id;
  }
  return parse({ ...typed, ...made });
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

const booleans = new Set(['batchNameTts', 'diamondNaturalName', 'convertMov', 'dryRun', 'lipSyncFallback']);
const numbers = new Set([
  ...['elevenlabsSpeed', 'batchSplitSilenceDb', 'batchSplitSilenceSeconds', 'diamondGapSeconds'],
  ...['silenceDb', 'silenceSeconds', 'limit'],
]);

/** A form has text only: numbers, truths and lists are written as in JSON. An empty field is one that is not given. */
function typedFields(fields: Record<string, string>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, text]) => text !== '')
      .map(([name, text]) => [name, typed(name, text)]),
  );
}

function typed(name: string, text: string): unknown {
  if (booleans.has(name)) return text === 'true' ? true : text === 'false' ? false : text;
  if (numbers.has(name)) return /^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text;
  if (name !== 'placeholders') return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw refuseField('body.placeholders', 'is not valid JSON');
  }
}
