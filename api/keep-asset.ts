import { createHash } from 'node:crypto';
import { inspectFile, type InspectedFile } from '../activities/media/intake/inspect-file.js';
import { RefusedFileError } from '../activities/media/intake/refused-file.js';
import { logActivity } from '../db/activity-log.js';
import { recordArtifact, reserveArtifact, type ArtifactRow } from '../db/artifacts.js';
import { keepAsset, type AssetRow } from '../db/assets.js';
import type { Db } from '../db/database.js';
import type { Storage } from '../storage/storage.js';
import type { AssetKind } from '../workflows/contract/assets.js';
import type { RouteDeps } from './context.js';
import { isForeignKeyViolation } from './database-errors.js';
import { ProblemError } from './errors.js';
import { createGate } from './gate.js';
import { unknownProject } from './own-project.js';
import type { ReceivedFile } from './receive-file.js';
import { storageKey } from './serve-object.js';

export interface IncomingAsset {
  userId: string;
  kind: AssetKind;
  projectId: string | null;
  fileName: string;
  file: ReceivedFile;
}

/** Pictures are decoded in this process, and each takes its memory. */
const inspecting = createGate(2);

/** A file that was looked at and can be kept; nothing of it is yet. */
export interface InspectedAsset extends IncomingAsset {
  found: InspectedFile;
  /** The id that its artifact will have. */
  artifactId: string;
}

/**
 * Makes an asset of a received file: looked at, published, kept. The file may be moved away.
 * @throws ProblemError as {@link inspectAsset} and {@link publishAsset}
 */
export async function makeAsset(
  deps: RouteDeps,
  incoming: IncomingAsset,
): Promise<{ asset: AssetRow; isNew: boolean }> {
  return publishAsset(deps, await inspectAsset(deps, incoming));
}

/** @throws ProblemError `unsupported_media`, `damaged_media`, `media_too_large`, `media_too_long` */
export async function inspectAsset(
  { intake }: Pick<RouteDeps, 'intake'>,
  incoming: IncomingAsset,
): Promise<InspectedAsset> {
  const { kind, file } = incoming;
  const limit = intake.maxBytes[kind];
  if (file.bytes > limit) {
    const detail = `The file has ${file.bytes} bytes; at most ${limit} are taken of its kind.`;
    throw new ProblemError('media_too_large', { detail });
  }
  const found = await inspecting(() => inspectFile(file.path, kind, intake).catch(rethrowRefusal));
  return { ...incoming, found, artifactId: `${file.sha256}.${found.extension}` };
}

/** @throws ProblemError `storage_unavailable`, `unknown_project` when the project went meanwhile */
export async function publishAsset(
  { db, storage }: Pick<RouteDeps, 'db' | 'storage'>,
  { userId, kind, projectId, fileName, file, found, artifactId }: InspectedAsset,
): Promise<{ asset: AssetRow; isNew: boolean }> {
  const { contentType, media, rendition } = found;
  const original = { id: artifactId, sha256: file.sha256, bytes: file.bytes, contentType };
  await publish(db, storage, original, (key) => storage.takeFile(key, file.path, contentType));
  let shown: ArtifactRow | undefined;
  if (rendition !== null) {
    const { bytes } = rendition;
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const type = rendition.extension === 'png' ? 'image/png' : 'image/jpeg';
    shown = { id: `${sha256}.${rendition.extension}`, sha256, bytes: bytes.length, contentType: type };
    await publish(db, storage, shown, (key) => storage.putBytes(key, bytes, type));
  }
  return db
    .transaction()
    .execute(async (trx) => {
      const kept = await keepAsset(trx, {
        user_id: userId,
        project_id: projectId,
        kind,
        file_name: fileName,
        content_type: contentType,
        bytes: file.bytes,
        sha256: file.sha256,
        artifact_id: original.id,
        rendition_artifact_id: shown?.id ?? null,
        media: JSON.stringify(media),
      });
      if (kept.isNew) {
        await logActivity(trx, { userId, type: 'asset_created', message: `Added the file ${fileName}.` });
      }
      return kept;
    })
    .catch((error: unknown) => {
      // Looking takes seconds: time enough to remove a project.
      throw isForeignKeyViolation(error, 'assets_project_id_fkey') ? unknownProject() : error;
    });
}

/** In storage before its row promises it; what a collector was just removing is put again. */
async function publish(
  db: Db,
  storage: Storage,
  artifact: ArtifactRow,
  put: (key: string) => Promise<void>,
): Promise<void> {
  const key = storageKey(artifact.id);
  await reserveArtifact(db, artifact.id);
  await put(key).catch(unavailable);
  await recordArtifact(db, artifact);
  const stored = await storage.head(key).catch(unavailable);
  if (stored === undefined) await put(key).catch(unavailable);
}

function unavailable(cause: unknown): never {
  throw new ProblemError('storage_unavailable', { cause });
}

function rethrowRefusal(error: unknown): never {
  if (error instanceof RefusedFileError) {
    throw new ProblemError(error.code, { detail: error.message, cause: error });
  }
  throw error;
}
