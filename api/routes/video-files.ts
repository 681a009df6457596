import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { findVideo, type VideoRow } from '../../db/videos.js';
import { thumbnailWidths } from '../../storage/keys.js';
import type { AppEnv, RouteDeps } from '../context.js';
import { ProblemError } from '../errors.js';
import { bearer, createRouter, fileAnswers, problems, type Router } from '../router.js';
import { hashOf, serveObject, storageKey } from '../serve-object.js';
import { createThumbnails } from '../thumbnails.js';
import { downloadQuery, idParam } from '../validation.js';

/** Which of a video's artifacts each address serves. */
const files = {
  stream: { column: 'video_artifact', contentType: 'video/mp4', extension: 'mp4' },
  vtt: { column: 'vtt_artifact', contentType: 'text/vtt; charset=utf-8', extension: 'vtt' },
  srt: { column: 'srt_artifact', contentType: 'application/x-subrip; charset=utf-8', extension: 'srt' },
} as const;

const stream = createRoute({
  method: 'get',
  path: '/videos/{id}/stream',
  tags: ['Videos'],
  summary: 'The MP4',
  security: bearer,
  request: { params: idParam, query: downloadQuery },
  responses: { ...fileAnswers(files.stream.contentType), ...problems(401, 404, 416, 422, 503) },
});

const thumbnail = createRoute({
  method: 'get',
  path: '/videos/{id}/thumbnail',
  tags: ['Videos'],
  summary: 'A telling frame',
  description: `Made on first use and kept, in widths of ${thumbnailWidths.join(', ')}; the next larger one is taken.`,
  security: bearer,
  request: {
    params: idParam,
    query: z.object({ width: z.coerce.number().int().min(16).max(3840).optional() }),
  },
  responses: { ...fileAnswers('image/webp'), ...problems(401, 404, 416, 422, 503) },
});

const captionFile = (contentType: string) => ({
  tags: ['Videos'],
  security: bearer,
  request: { params: idParam, query: downloadQuery },
  responses: { ...fileAnswers(contentType), ...problems(401, 404, 416, 422, 503) },
});

const vtt = createRoute({
  method: 'get',
  path: '/videos/{id}/captions.vtt',
  summary: 'The captions as WebVTT',
  ...captionFile(files.vtt.contentType),
});

const srt = createRoute({
  method: 'get',
  path: '/videos/{id}/captions.srt',
  summary: 'The captions as SubRip',
  ...captionFile(files.srt.contentType),
});

export function videoFileRoutes(deps: RouteDeps): Router {
  const { db, storage } = deps;
  const thumbnails = createThumbnails(storage);

  async function own(c: Context<AppEnv>, id: string): Promise<VideoRow> {
    const row = await findVideo(db, c.var.user.id, id);
    if (row === undefined) throw new ProblemError('not_found');
    return row;
  }

  async function serve(
    c: Context<AppEnv>,
    file: (typeof files)[keyof typeof files],
    asked: { id: string; download?: string | undefined },
  ): Promise<Response> {
    const video = await own(c, asked.id);
    const artifact = video[file.column];
    return serveObject(c, storage, {
      key: storageKey(artifact),
      contentType: file.contentType,
      tag: hashOf(artifact),
      fileName: `${video.title}.${file.extension}`,
      download: asked.download === '1',
    });
  }

  return createRouter()
    .openapi(stream, (c) => serve(c, files.stream, { ...c.req.valid('param'), ...c.req.valid('query') }))
    .openapi(vtt, (c) => serve(c, files.vtt, { ...c.req.valid('param'), ...c.req.valid('query') }))
    .openapi(srt, (c) => serve(c, files.srt, { ...c.req.valid('param'), ...c.req.valid('query') }))
    .openapi(thumbnail, async (c) => {
      const video = await own(c, c.req.valid('param').id);
      const made = await thumbnails.make(video, c.req.valid('query').width);
      return serveObject(c, storage, {
        ...made,
        contentType: 'image/webp',
        fileName: `${video.title}.webp`,
        download: false,
      });
    });
}
