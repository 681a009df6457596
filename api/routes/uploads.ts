import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { createRoute, z } from '@hono/zod-openapi';
import { findAsset } from '../../db/assets.js';
import {
  countOpenUploads,
  expireUpload,
  findUpload,
  findUploadByToken,
  insertUpload,
  setUploadAsset,
  type UploadRow,
} from '../../db/uploads.js';
import { lockUser } from '../../db/users.js';
import { uploadKey, uploadSeconds } from '../../storage/keys.js';
import { ObjectMissingError } from '../../storage/storage.js';
import { assetKinds } from '../../workflows/contract/assets.js';
import { assetSchema, toAsset } from '../asset-resource.js';
import type { RouteDeps } from '../context.js';
import { isForeignKeyViolation } from '../database-errors.js';
import { ProblemError } from '../errors.js';
import { fileNameSchema } from '../file-name.js';
import { makeAsset } from '../keep-asset.js';
import { assertOwnProject, unknownProject } from '../own-project.js';
import { receiveFile, tooLarge, withIntakeFile } from '../receive-file.js';
import {
  bearer,
  bodyProblems,
  createRouter,
  jsonAnswer,
  jsonBody,
  problems,
  type Router,
} from '../router.js';
import { hashToken, newToken } from '../auth/tokens.js';
import { createUploadPlaces } from '../upload-places.js';
import { idParam } from '../validation.js';

const mostOpenUploads = 20;
const tokenHeader = 'upload-token';

const create = createRoute({
  method: 'post',
  path: '/assets/uploads',
  tags: ['Assets'],
  summary: 'Send a file past the form',
  description:
    'Send exactly so many bytes to `url` with `method` and `headers` until `expiresAt`, then complete the upload. With S3 the address is the store’s own, presigned.',
  security: bearer,
  request: {
    body: jsonBody(
      z
        .strictObject({
          kind: z.enum(assetKinds),
          fileName: fileNameSchema,
          bytes: z.int().min(1),
          projectId: z.uuid().nullable().default(null),
        })
        .openapi('NewUpload'),
    ),
  },
  responses: {
    201: jsonAnswer(
      'Where to send it',
      z
        .object({
          id: z.uuid(),
          method: z.literal('PUT'),
          url: z.string(),
          headers: z.record(z.string(), z.string()),
          expiresAt: z.iso.datetime(),
        })
        .openapi('Upload'),
    ),
    ...bodyProblems,
    ...problems(429, 503),
  },
});

const complete = createRoute({
  method: 'post',
  path: '/assets/uploads/{id}/complete',
  tags: ['Assets'],
  summary: 'Make an asset of what was sent',
  description: 'The file is looked at as if it had come by the form. What is refused is removed.',
  security: bearer,
  request: { params: idParam },
  responses: {
    200: jsonAnswer('The asset that was there already', assetSchema),
    201: jsonAnswer('The asset', assetSchema),
    ...problems(401, 404, 409, 413, 415, 422, 429, 503),
  },
});

const send = createRoute({
  method: 'put',
  path: '/uploads/{id}',
  tags: ['Assets'],
  summary: 'Where a file is sent when the storage has no address of its own',
  description: 'Needs no login: the `upload-token` is the right to send this one file.',
  request: {
    params: idParam,
    headers: z.object({ [tokenHeader]: z.string().optional() }),
    body: {
      required: true,
      content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
    },
  },
  responses: { 204: { description: 'All of it has come' }, ...problems(400, 404, 409, 413, 429, 503) },
});

/** The address that takes bytes; it stands outside the login. */
export function uploadContentRoutes({ db, storage, intake }: RouteDeps): Router {
  const places = createUploadPlaces();
  return createRouter().openapi(send, async (c) => {
    const { id } = c.req.valid('param');
    const token = c.req.valid('header')[tokenHeader] ?? '';
    const upload = await findUploadByToken(db, id, hashToken(token));
    if (upload === undefined) throw new ProblemError('not_found');
    const bytes = Number(upload.bytes);
    const { body } = c.req.raw;
    if (body === null) throw incomplete(0, bytes);
    if (Number(c.req.header('content-length')) > bytes) throw tooLarge(bytes);
    await places.take(upload.user_id, () =>
      withIntakeFile(intake.dir, async (path) => {
        const source = Readable.fromWeb(body);
        const received = await receiveFile(source, path, () => bytes).catch(unlessProblem);
        if (received.bytes !== bytes) throw incomplete(received.bytes, bytes);
        await storage.takeFile(uploadKey(id), path, 'application/octet-stream').catch(unavailable);
      }),
    );
    return c.body(null, 204);
  });
}

export function uploadRoutes(deps: RouteDeps): Router {
  const { db, storage, intake } = deps;
  const places = createUploadPlaces();

  /** @throws ProblemError `upload_incomplete`, and as `makeAsset` */
  async function finish(upload: UploadRow): ReturnType<typeof makeAsset> {
    const key = uploadKey(upload.id);
    const bytes = Number(upload.bytes);
    const stored = await storage.head(key).catch(unavailable);
    if (stored?.bytes !== bytes) throw incomplete(stored?.bytes ?? 0, bytes);
    return withIntakeFile(intake.dir, async (path) => {
      // A copy of our own: the address may still be written to while we look.
      const source = await storage.read(key).catch((cause: unknown) => {
        throw cause instanceof ObjectMissingError ? incomplete(0, bytes) : unavailable(cause);
      });
      const file = await receiveFile(source, path, () => bytes).catch(unavailableUnlessProblem);
      if (file.bytes !== bytes) throw incomplete(file.bytes, bytes);
      const { user_id: userId, kind, project_id: projectId, file_name: fileName } = upload;
      return makeAsset(deps, { userId, kind, projectId, fileName, file });
    });
  }

  return createRouter()
    .openapi(create, async (c) => {
      const userId = c.var.user.id;
      const { kind, fileName, bytes, projectId } = c.req.valid('json');
      if (bytes > intake.maxBytes[kind]) throw tooLarge(intake.maxBytes[kind]);
      await assertOwnProject(db, userId, projectId);
      const id = randomUUID();
      const address = { bytes, expiresSeconds: uploadSeconds };
      const presigned = await storage.presignPut(uploadKey(id), address).catch(unavailable);
      const token = newToken();
      const upload = await db
        .transaction()
        .execute(async (trx) => {
          await lockUser(trx, userId);
          if ((await countOpenUploads(trx, userId)) >= mostOpenUploads) {
            throw new ProblemError('too_many_uploads', { headers: { 'retry-after': '60' } });
          }
          return insertUpload(trx, {
            id,
            user_id: userId,
            project_id: projectId,
            kind,
            file_name: fileName,
            bytes,
            token_hash: hashToken(token),
            seconds: uploadSeconds,
          });
        })
        .catch((error: unknown) => {
          throw isForeignKeyViolation(error, 'uploads_project_id_fkey') ? unknownProject() : error;
        });
      const sizeHeader = { 'content-length': String(bytes) };
      return c.json(
        {
          id,
          method: 'PUT' as const,
          url: presigned ?? `/api/v1/uploads/${id}`,
          headers: presigned === undefined ? { ...sizeHeader, [tokenHeader]: token } : sizeHeader,
          expiresAt: upload.expires_at.toISOString(),
        },
        201,
      );
    })
    .openapi(complete, async (c) => {
      const userId = c.var.user.id;
      const upload = await findUpload(db, userId, c.req.valid('param').id);
      if (upload === undefined) throw new ProblemError('not_found');
      if (upload.asset_id !== null) {
        const made = await findAsset(db, userId, upload.asset_id);
        if (made !== undefined) return c.json(toAsset(made), 200);
      }
      const { asset, isNew } = await places
        .take(userId, () => finish(upload))
        .catch(async (error: unknown) => {
          if (error instanceof ProblemError && refusals.has(error.code)) {
            await expireUpload(db, upload.id);
            await storage.delete(uploadKey(upload.id));
          }
          throw error;
        });
      await setUploadAsset(db, upload.id, asset.id);
      // What is left behind here goes when the upload's time is over.
      await storage.delete(uploadKey(upload.id)).catch((error: unknown) => {
        c.var.logger.warn({ action: 'remove upload', success: false, err: error });
      });
      c.header('location', `/api/v1/assets/${asset.id}`);
      return c.json(toAsset(asset), isNew ? 201 : 200);
    });
}

const refusals = new Set<string>(['unsupported_media', 'damaged_media', 'media_too_large', 'media_too_long']);

function incomplete(has: number, wanted: number): ProblemError {
  return new ProblemError('upload_incomplete', { detail: `${has} of ${wanted} bytes have come.` });
}

function unavailable(cause: unknown): never {
  throw new ProblemError('storage_unavailable', { cause });
}

function unavailableUnlessProblem(error: unknown): never {
  if (error instanceof ProblemError) throw error;
  return unavailable(error);
}

/** A client that went away, or sent nonsense. */
function unlessProblem(error: unknown): never {
  if (error instanceof ProblemError) throw error;
  throw new ProblemError('malformed_request', { cause: error });
}
