import sharp, { type Sharp } from 'sharp';
import { decodedBytes, isDecodedWhole, maxDecodedBytes } from './decoded-size.js';
import { RefusedFileError } from './refused-file.js';

/** That of the largest frame. Half of what phones make now, so that a JPEG is decoded at half its size. */
const longestSide = 3_840;
/** More than any camera phone makes; decoding more would only cost memory. */
const maxPicturePixels = 50_000_000;

/** Optimized, the whole picture would wait in memory as coefficients: twice as much as all else here. */
const jpeg = { quality: 95, chromaSubsampling: '4:4:4', optimizeCoding: false } as const;

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
  const header = await sharp(path, { limitInputPixels: false, pages: 1 }).metadata().catch(refuseDamaged);
  const { width, height, autoOrient, hasAlpha, orientation } = header;
  if (width * height > maxPicturePixels || Math.max(width, height) > 20_000) {
    const megapixels = Math.round(maxPicturePixels / 1e6);
    const detail = `The picture is ${width}×${height}; at most ${megapixels} megapixels and 20000 a side are taken.`;
    throw new RefusedFileError('media_too_large', detail);
  }
  if (isDecodedWhole(header) && decodedBytes(header) > maxDecodedBytes) {
    const detail = `A picture of ${width}×${height} is too large for this format; save it smaller, or as a JPEG or PNG that is not progressive or interlaced.`;
    throw new RefusedFileError('media_too_large', detail);
  }
  // Made small as it is decoded and turned after that: to turn it first, all of it would have to be in memory.
  const { data, info } = await sharp(path, { limitInputPixels: maxPicturePixels, failOn: 'error', pages: 1 })
    .resize({ width: longestSide, height: longestSide, fit: 'inside', withoutEnlargement: true })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch(refuseDamaged);
  const { channels } = info;
  const small = sharp(data, { raw: { width: info.width, height: info.height, channels } });
  const upright = turned(small, orientation ?? 1);
  // Many pictures have an alpha channel that hides nothing.
  const isOpaque = !hasAlpha || isAlphaFull(data, channels);
  const bytes = isOpaque
    ? await upright.removeAlpha().jpeg(jpeg).toBuffer()
    : await upright.png({ compressionLevel: 6 }).toBuffer();
  return { bytes, extension: isOpaque ? 'jpg' : 'png', width: autoOrient.width, height: autoOrient.height };
}

/** Exif 2.32, tag 0x0112: how the picture is to be turned and mirrored to be upright. */
function turned(picture: Sharp, orientation: number): Sharp {
  const angle = { 3: 180, 5: 90, 6: 90, 7: 270, 8: 270 }[orientation];
  const rotated = angle === undefined ? picture : picture.rotate(angle);
  if (orientation === 2) return rotated.flop();
  return orientation === 4 || orientation === 5 || orientation === 7 ? rotated.flip() : rotated;
}

function isAlphaFull(data: Buffer, channels: number): boolean {
  for (let at = channels - 1; at < data.length; at += channels) if (data[at] !== 255) return false;
  return true;
}

function refuseDamaged(cause: unknown): never {
  throw new RefusedFileError('damaged_media', 'The picture is damaged and cannot be read to its end.', {
    cause,
  });
}
