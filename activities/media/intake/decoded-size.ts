import type { Metadata } from 'sharp';

/** Of one picture in memory while it is decoded: 33 megapixels of RGB, 12 of 16-bit RGBA. */
export const maxDecodedBytes = 100_000_000;

type Header = Pick<
  Metadata,
  'format' | 'width' | 'height' | 'channels' | 'depth' | 'isProgressive' | 'chromaSubsampling'
>;

/** Bytes that all of a picture takes in its decoder, known from its header. */
export function decodedBytes({ format, width, height, channels, depth, ...header }: Header): number {
  const pixels = width * height;
  // Theirs work on RGBA, whatever the file has.
  if (format === 'webp' || format === 'gif') return pixels * 4;
  if (format === 'jpeg' && header.isProgressive) {
    // Two bytes a coefficient, until the last scan has come. 4:2:0 is also said of 4:2:2, which has two a pixel.
    const isSubsampled = header.chromaSubsampling?.startsWith('4:2:0') === true;
    return pixels * 2 * (isSubsampled ? channels - 1 : channels);
  }
  return pixels * channels * (depth === 'ushort' ? 2 : 1);
}

/** Whether all of it has to be in memory at once; others are decoded a strip at a time. */
export const isDecodedWhole = ({ format, isProgressive }: Header): boolean =>
  isProgressive || format === 'webp' || format === 'gif';
