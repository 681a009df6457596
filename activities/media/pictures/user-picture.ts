import { open } from 'node:fs/promises';
import sharp, { type Sharp } from 'sharp';
import type { Theme } from '../../../workflows/contract.js';
import { invalidInput } from '../../failures.js';
import type { EncodedPicture } from './picture-provider.js';
import { themeDesigns } from './themes/theme-designs.js';

/** A picture of 50 megapixels is more than any camera phone makes; decoding more would only cost memory. */
const maxPixels = 50_000_000;
const signatures: { format: string; matches: (head: Buffer) => boolean }[] = [
  { format: 'jpeg', matches: (head) => head.subarray(0, 3).toString('hex') === 'ffd8ff' },
  { format: 'png', matches: (head) => head.subarray(0, 8).toString('hex') === '89504e470d0a1a0a' },
  {
    format: 'webp',
    matches: (head) => head.toString('latin1', 0, 4) === 'RIFF' && head.toString('latin1', 8, 12) === 'WEBP',
  },
];

export interface UserPictureRequest {
  path: string;
  theme: Theme;
  width: number;
  height: number;
  captionsBurned: boolean;
  /** Size of the picture to make. */
  canvas: { width: number; height: number };
  /** Text stands on the right. */
  mirrored: boolean;
}

/**
 * The user's own picture as a background: turned as its camera says, filling the canvas, and toned on the side
 * of the text just as much as that text needs to be read.
 *
 * @throws ApplicationFailure, non-retryable, for what is not a JPEG, PNG or WebP picture or is too large.
 */
export async function toneUserPicture(request: UserPictureRequest): Promise<EncodedPicture> {
  const { path, canvas } = request;
  await checkSignature(path);
  try {
    const input = sharp(path, { limitInputPixels: maxPixels, failOn: 'error', pages: 1 });
    const filled = await input
      .autoOrient()
      .flatten({ background: '#ffffff' })
      .resize(canvas.width, canvas.height, { fit: 'cover', position: 'attention' })
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    const { width, height, channels } = filled.info;
    const picture = sharp(filled.data, { raw: { width, height, channels } });
    const strength = await toneStrength(picture, request);
    const bytes = await picture
      .composite([{ input: Buffer.from(scrim(request, strength)) }])
      .jpeg({ quality: 93, chromaSubsampling: '4:4:4' })
      .toBuffer();
    return { bytes, extension: 'jpg', width: canvas.width, height: canvas.height };
  } catch (cause) {
    throw unusable('it is damaged, or larger than 50 megapixels', cause);
  }
}

async function checkSignature(path: string): Promise<void> {
  const file = await open(path);
  try {
    const head = Buffer.alloc(16);
    await file.read(head, 0, 16, 0);
    if (!signatures.some(({ matches }) => matches(head))) {
      throw unusable('it is not a JPEG, PNG or WebP picture');
    }
  } finally {
    await file.close();
  }
}

function unusable(reason: string, cause?: unknown) {
  return invalidInput({
    code: 'invalid_image',
    detail: `The picture given for a scene cannot be used: ${reason}.`,
    cause,
  });
}

/** How opaque the tone must be for 4.5:1 on the most difficult tenth of what lies behind the text, 0.3–0.9. */
async function toneStrength(picture: Sharp, request: UserPictureRequest): Promise<number> {
  const { palette, tone } = themeDesigns[request.theme];
  const small = 48;
  const { data } = await picture
    .clone()
    .resize(small, small, { fit: 'fill', kernel: 'cubic' })
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const inkLevel = Math.min(...[palette.body, palette.accent, palette.quiet].map(luminance));
  const darkInk = luminance(palette.heading) < 0.5;
  const hardest: number[] = [];
  const toneRgb = rgb(tone);
  for (let i = 0; i < data.length; i += 3) {
    const column = ((i / 3) % small) / small;
    const row = Math.floor(i / 3 / small) / small;
    if (!underText(column, row, request)) continue;
    const pixel: Rgb = [data[i] ?? 0, data[i + 1] ?? 0, data[i + 2] ?? 0];
    hardest.push(
      neededStrength(pixel, toneRgb, (behind) => contrastWith(behind, inkLevel, palette, darkInk)),
    );
  }
  hardest.sort((a, b) => a - b);
  return Math.min(0.92, Math.max(0.3, hardest[Math.floor(hardest.length * 0.97)] ?? 0.7));
}

type Rgb = [number, number, number];

function underText(column: number, row: number, request: UserPictureRequest): boolean {
  if (request.width <= request.height) return row < 0.8;
  return request.mirrored ? column > 0.36 : column < 0.64;
}

function neededStrength(pixel: Rgb, tone: Rgb, contrast: (behind: Rgb) => number): number {
  for (let strength = 0; strength < 0.95; strength += 0.05) {
    const behind = pixel.map((value, i) => value * (1 - strength) + (tone[i] ?? 0) * strength);
    if (contrast([behind[0] ?? 0, behind[1] ?? 0, behind[2] ?? 0]) >= 4.7) return strength;
  }
  return 0.95;
}

function contrastWith(
  behind: Rgb,
  inkLevel: number,
  palette: { quiet: string; accent: string; body: string },
  darkInk: boolean,
): number {
  const level = relativeLuminance(behind);
  const ink = darkInk ? Math.max(...[palette.body, palette.accent, palette.quiet].map(luminance)) : inkLevel;
  return (Math.max(level, ink) + 0.05) / (Math.min(level, ink) + 0.05);
}

function scrim({ canvas, theme, mirrored, width, height }: UserPictureRequest, strength: number): string {
  const { tone } = themeDesigns[theme];
  const landscape = width > height;
  const stops = landscape
    ? [
        [0, 1],
        [0.62, 1],
        [0.86, 0.35],
        [1, 0.2],
      ]
    : [
        [0, 1],
        [0.78, 1],
        [1, 0.55],
      ];
  const axis = landscape
    ? mirrored
      ? 'x1="1" x2="0" y1="0" y2="0"'
      : 'x1="0" x2="1" y1="0" y2="0"'
    : 'x1="0" x2="0" y1="0" y2="1"';
  const drawn = stops
    .map(
      ([at, part]) =>
        `<stop offset="${at}" stop-color="${tone}" stop-opacity="${num2(strength * (part ?? 0))}"/>`,
    )
    .join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${canvas.width}" height="${canvas.height}"><defs><linearGradient id="s" ${axis}>${drawn}</linearGradient></defs><rect width="100%" height="100%" fill="url(#s)"/></svg>`;
}

function num2(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function rgb(hex: string): Rgb {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

function luminance(hex: string): number {
  return relativeLuminance(rgb(hex));
}

/** WCAG 2.2, relative luminance of an sRGB colour. */
function relativeLuminance(colour: Rgb): number {
  const [r, g, b] = colour.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * (r ?? 0) + 0.7152 * (g ?? 0) + 0.0722 * (b ?? 0);
}
