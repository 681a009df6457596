import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import sharp from 'sharp';
import { fallbackKey, thumbnailKey, thumbnailWidths } from '../storage/keys.js';
import { ObjectMissingError, type Storage, type StoredObject } from '../storage/storage.js';
import { ProblemError } from './errors.js';
import { drawFallback } from './fallback-picture.js';
import { hashOf, storageKey } from './serve-object.js';

/** Far above any frame of ours; what it guards against is a file that is not ours. */
const maxPixels = 3840 * 3840;

interface Pictured {
  title: string;
  width: number;
  height: number;
  thumbnail_artifact: string;
}

interface Made {
  key: string;
  tag: string;
  /** As it was found; absent when it was made just now. */
  stored: StoredObject | undefined;
}

export interface Thumbnails {
  /** @param width pixels that are wanted; absent, the thumbnail as it was made. */
  make(video: Pictured, width: number | undefined): Promise<Made>;
}

class UnreadablePictureError extends Error {}

/** Copies of a video's thumbnail in other widths, made once and kept under `thumbnails/`. */
export function createThumbnails(storage: Storage): Thumbnails {
  const underWay = new Map<string, Promise<void>>();

  /** Runs once however many ask at the same time, in this process. */
  async function once(key: string, draw: () => Promise<Buffer>): Promise<StoredObject | undefined> {
    const stored = await storage.head(key);
    if (stored !== undefined) return stored;
    const running =
      underWay.get(key) ??
      draw()
        .then((bytes) => storage.putBytes(key, bytes, 'image/webp'))
        .finally(() => underWay.delete(key));
    underWay.set(key, running);
    await running;
    return undefined;
  }

  async function resized(video: Pictured, width: number): Promise<Made> {
    const tag = `${hashOf(video.thumbnail_artifact)}-${width}`;
    const key = thumbnailKey(hashOf(video.thumbnail_artifact), width);
    const stored = await once(key, async () => {
      const original = await buffer(await storage.read(storageKey(video.thumbnail_artifact)));
      return sharp(original, { limitInputPixels: maxPixels })
        .resize({ width, withoutEnlargement: true })
        .webp({ quality: 82 })
        .toBuffer()
        .catch((cause: unknown) => {
          throw new UnreadablePictureError('the thumbnail cannot be read', { cause });
        });
    });
    return { key, tag, stored };
  }

  async function fallback(video: Pictured, width: number): Promise<Made> {
    const height = Math.round((width * video.height) / video.width);
    const drawn = createHash('sha256').update(`1 ${width} ${height} ${video.title}`).digest('hex');
    const key = fallbackKey(drawn.slice(0, 32));
    const stored = await once(key, () => drawFallback({ title: video.title, width, height }));
    return { key, tag: `title-${drawn.slice(0, 32)}`, stored };
  }

  return {
    async make(video, width) {
      const bucket = thumbnailWidths.find((candidate) => candidate >= (width ?? 1280)) ?? 1920;
      try {
        if (width !== undefined) return await resized(video, bucket);
        const key = storageKey(video.thumbnail_artifact);
        const stored = await storage.head(key);
        if (stored === undefined) return await fallback(video, bucket);
        return { key, tag: hashOf(video.thumbnail_artifact), stored };
      } catch (cause) {
        if (cause instanceof ObjectMissingError || cause instanceof UnreadablePictureError) {
          return fallback(video, bucket);
        }
        throw new ProblemError('storage_unavailable', { cause });
      }
    },
  };
}
