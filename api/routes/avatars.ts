import { createRoute } from '@hono/zod-openapi';
import { findAvatar, setAvatar } from '../../db/users.js';
import { avatarSide, drawAvatar } from '../avatar-picture.js';
import type { RouteDeps } from '../context.js';
import { ProblemError } from '../errors.js';
import { publishArtifact } from '../publish-artifact.js';
import { readUpload } from '../read-upload.js';
import { bearer, createRouter, fileAnswers, jsonAnswer, problems, type Router } from '../router.js';
import { hashOf, serveObject, storageKey } from '../serve-object.js';
import { userBody, userSchema } from '../user-resource.js';
import { idParam } from '../validation.js';

const contentType = 'image/webp';
const maxUploadBytes = 10 * 1024 * 1024;

const replace = createRoute({
  method: 'put',
  path: '/users/me/avatar',
  tags: ['Users'],
  summary: 'Set my avatar',
  description: `A JPEG, PNG, GIF or WebP file of at most 10 MiB. It is kept as ${avatarSide} × ${avatarSide} pixels, cropped about its middle, without its metadata.`,
  security: bearer,
  request: {
    body: {
      required: true,
      content: {
        // Not a zod schema: the body is read as it comes, not collected to be validated.
        'multipart/form-data': {
          schema: {
            type: 'object',
            properties: { image: { type: 'string', format: 'binary' } },
            required: ['image'],
            additionalProperties: false,
          },
        },
      },
    },
  },
  responses: {
    200: jsonAnswer('The profile', userSchema),
    ...problems(400, 401, 413, 415, 422, 429, 503),
  },
});

const read = createRoute({
  method: 'get',
  path: '/users/{id}/avatar',
  tags: ['Users'],
  summary: 'Anybody’s avatar',
  security: bearer,
  request: { params: idParam },
  responses: { ...fileAnswers(contentType), ...problems(401, 404, 416, 503) },
});

const remove = createRoute({
  method: 'delete',
  path: '/users/me/avatar',
  tags: ['Users'],
  summary: 'Remove my avatar',
  security: bearer,
  responses: { 204: { description: 'There is none now' }, ...problems(401) },
});

export function avatarRoutes({ db, storage }: RouteDeps): Router {
  return createRouter()
    .openapi(replace, async (c) => {
      const upload = await readUpload(c, { field: 'image', maxBytes: maxUploadBytes });
      const file = { bytes: await drawAvatar(upload), extension: 'webp', contentType };
      const row = await publishArtifact({ db, storage }, file, (trx, artifactId) =>
        setAvatar(trx, c.var.user.id, artifactId),
      );
      if (row === undefined) throw new ProblemError('unauthorized');
      return c.json(await userBody(db, row), 200);
    })
    .openapi(read, async (c) => {
      const { id } = c.req.valid('param');
      const artifact = await findAvatar(db, id);
      if (artifact === undefined) throw new ProblemError('not_found');
      return serveObject(c, storage, {
        key: storageKey(artifact),
        contentType,
        tag: hashOf(artifact),
        fileName: `${id}.webp`,
        download: false,
      });
    })
    .openapi(remove, async (c) => {
      await setAvatar(db, c.var.user.id, null);
      return c.body(null, 204);
    });
}
