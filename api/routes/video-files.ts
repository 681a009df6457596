import { createRoute, z } from '@hono/zod-openapi';
import { findVideo, type VideoRow } from '../../db/videos.js';
import type { RouteDeps } from '../context.js';
import { ProblemError } from '../errors.js';
import { bearer, createRouter, fileAnswers, problems, type Router } from '../router.js';
import { hashOf, serveObject, storageKey } from '../serve-object.js';
import { createThumbnails, thumbnailWidths } from '../thumbnails.js';
import { downloadQuery, idParam } from '../validation.js';

const stream = createRoute({
  method: 'get',
  path: '/videos/{id}/stream',
  tags: ['Videos'],
  summary: 'The MP4',
  security: bearer,
  request: { params: idParam, query: downloadQuery },
  responses: { ...fileAnswers('video/mp4'), ...problems(401, 404, 416, 422, 503) },
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
  responses: { ...fileAnswers('image/webp'), ...problems(401, 404, 422, 503) },
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
  ...captionFile('text/vtt; charset=utf-8'),
});

const srt = createRoute({
  method: 'get',
  path: '/videos/{id}/captions.srt',
  summary: 'The captions as SubRip',
  ...captionFile('application/x-subrip; charset=utf-8'),
});

export function videoFileRoutes(deps: RouteDeps): Router {
  const { db, storage } = deps;
  const thumbnails = createThumbnails(storage);

  async function own(userId: string, id: string): Promise<VideoRow> {
    const row = await findVideo(db, userId, id);
    if (row === undefined) throw new ProblemError('not_found');
    return row;
  }

  return createRouter()
    .openapi(stream, async (c) => {
      const video = await own(c.var.user.id, c.req.valid('param').id);
      return serveObject(c, storage, {
        key: storageKey(video.video_artifact),
        contentType: 'video/mp4',
        tag: hashOf(video.video_artifact),
        fileName: `${video.title}.mp4`,
        download: c.req.valid('query').download === '1',
      });
    })
    .openapi(thumbnail, async (c) => {
      const video = await own(c.var.user.id, c.req.valid('param').id);
      const made = await thumbnails.make(video, c.req.valid('query').width);
      return serveObject(c, storage, {
        ...made,
        contentType: 'image/webp',
        fileName: `${video.title}.webp`,
        download: false,
      });
    })
    .openapi(vtt, async (c) => {
      const video = await own(c.var.user.id, c.req.valid('param').id);
      return serveObject(c, storage, {
        key: storageKey(video.vtt_artifact),
        contentType: 'text/vtt; charset=utf-8',
        tag: hashOf(video.vtt_artifact),
        fileName: `${video.title}.vtt`,
        download: c.req.valid('query').download === '1',
      });
    })
    .openapi(srt, async (c) => {
      const video = await own(c.var.user.id, c.req.valid('param').id);
      return serveObject(c, storage, {
        key: storageKey(video.srt_artifact),
        contentType: 'application/x-subrip; charset=utf-8',
        tag: hashOf(video.srt_artifact),
        fileName: `${video.title}.srt`,
        download: c.req.valid('query').download === '1',
      });
    });
}
