import sharp from 'sharp';
import { RefusedFileError } from './refused-file.js';

/** Larger than any frame with room for its motion. */
const longestSide = 4_608;
/** More than any camera phone makes; decoding more would only cost memory. */
export const maxPicturePixels = 50_000_000;

export interface Rendition {
  bytes: Buffer;
  extension: 'jpg' | 'png';
  /** Of the whole picture, upright. */
  width: number;
  height: number;
}

/**
 * What is rendered of a user's picture: upright, in sRGB, without metadata, of a bounded size. The header is checked
 * before anything is decoded, and all of the picture is decoded, so that a damaged one shows here.
 * @throws RefusedFileError
 */
export async function renderPicture(path: string): Promise<Rendition> {
  // Reads the header, whatever size that speaks of.
  const header = sharp(path, { limitInputPixels: false, pages: 1 });
  const { width, height, autoOrient, hasAlpha } = await header.metadata().catch(refuseDamaged);
  if (width * height > maxPicturePixels || Math.max(width, height) > 20_000) {
    const megapixels = Math.round(maxPicturePixels / 1e6);
    const detail = `The picture is ${width}×${height}; at most ${megapixels} megapixels and 20000 a side are taken.`;
    throw new RefusedFileError('media_too_large', detail);
  }
  const open = () => sharp(path, { limitInputPixels: maxPicturePixels, failOn: 'error', pages: 1 });
  // Many pictures have an alpha channel that hides nothing.
  const isOpaque = !hasAlpha || (await open().stats().catch(refuseDamaged)).isOpaque;
  const upright = open()
    .autoOrient()
    .resize({ width: longestSide, height: longestSide, fit: 'inside', withoutEnlargement: true })
    .toColourspace('srgb');
  const encoded = isOpaque
    ? upright.removeAlpha().jpeg({ quality: 95, chromaSubsampling: '4:4:4' })
    : upright.png({ compressionLevel: 6 });
  const bytes = await encoded.toBuffer().catch(refuseDamaged);
  return { bytes, extension: isOpaque ? 'jpg' : 'png', width: autoOrient.width, height: autoOrient.height };
}

function refuseDamaged(cause: unknown): never {
  throw new RefusedFileError('damaged_media', 'The picture is damaged and cannot be read to its end.', {
    cause,
  });
}
