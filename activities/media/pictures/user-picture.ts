import { open } from 'node:fs/promises';
import sharp, { type Sharp } from 'sharp';
import type { Theme } from '../../../workflows/contract/options.js';
import { invalidInput } from '../../failures.js';
import { blurredFill, drawInset, insetBox } from './inset-picture.js';
import type { EncodedPicture } from './picture-provider.js';
import { num } from './svg.js';
import { themeDesigns } from './themes/theme-designs.js';

/** A picture of 50 megapixels is more than any camera phone makes; decoding more would only cost memory. */
const maxPixels = 50_000_000;
/** Part of the width that text takes on a wide frame. */
const textSide = 0.64;
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
  /** Part of the height below which no text stands. */
  textBottom: number;
}

/**
 * The user's own picture as a background: turned as its camera says, filling the canvas, and toned on the side
 * of the text just as much as that text needs to be read. One that would lose too much by filling it, is small or has
 * transparent parts, is shown whole where no text stands, before its own colours.
 *
 * @throws ApplicationFailure, non-retryable, for what is not a JPEG, PNG or WebP picture or is too large.
 */
export async function toneUserPicture(request: UserPictureRequest): Promise<EncodedPicture> {
  const { path, canvas } = request;
  await checkSignature(path);
  try {
    const input = sharp(path, { limitInputPixels: maxPixels, failOn: 'error', pages: 1 });
    const facts = await input.metadata();
    const upright = input.autoOrient();
    const box = insetBox(facts, { ...request, isLandscape: request.width > request.height });
    const behind =
      box === undefined
        ? upright
            .clone()
            .flatten({ background: '#ffffff' })
            .resize(canvas.width, canvas.height, { fit: 'cover', position: 'attention' })
            .toColourspace('srgb')
        : await blurredFill(upright, canvas);
    const inset = box && (await drawInset(upright, facts.hasAlpha, box));
    const filled = await behind.raw().toBuffer({ resolveWithObject: true });
    const { width, height, channels } = filled.info;
    const picture = sharp(filled.data, { raw: { width, height, channels } });
    const strength = await toneStrength(picture, request);
    const bytes = await picture
      .composite([{ input: Buffer.from(scrim(request, strength)) }, ...(inset ? [inset] : [])])
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

/** How opaque the tone must be for the text's contrast, 0.3–0.92, over all but a few specks behind the text. */
async function toneStrength(picture: Sharp, request: UserPictureRequest): Promise<number> {
  const { palette, tone, bullets } = themeDesigns[request.theme];
  const side = 48;
  const data = await picture
    .clone()
    .resize(side, side, { fit: 'fill', kernel: 'cubic' })
    .removeAlpha()
    .raw()
    .toBuffer();
  const isDarkInk = luminance(palette.heading) < 0.5;
  const inks = [palette.body, palette.accent, palette.quiet].map(luminance);
  const ink = isDarkInk ? Math.max(...inks) : Math.min(...inks);
  // Cards lay a little white between picture and text.
  const enough = bullets === 'card' ? 5.6 : 4.8;
  const needed: number[] = [];
  for (let i = 0; i < data.length; i += 3) {
    const column = (((i / 3) % side) + 0.5) / side;
    const row = (Math.floor(i / 3 / side) + 0.5) / side;
    if (!isUnderText(column, row, request)) continue;
    const pixel: Rgb = [data[i] ?? 0, data[i + 1] ?? 0, data[i + 2] ?? 0];
    needed.push(neededStrength(pixel, rgb(tone), (behind) => contrast(behind, ink) >= enough));
  }
  needed.sort((a, b) => a - b);
  return Math.min(0.92, Math.max(0.3, needed[Math.floor(needed.length * 0.99)] ?? 0.7));
}

type Rgb = [red: number, green: number, blue: number];

function isUnderText(column: number, row: number, request: UserPictureRequest): boolean {
  if (request.width <= request.height) return row < request.textBottom + 0.05;
  return (request.mirrored ? 1 - column : column) < textSide + 0.02;
}

function neededStrength(pixel: Rgb, tone: Rgb, isEnough: (behind: Rgb) => boolean): number {
  for (let strength = 0; strength < 0.92; strength += 0.04) {
    const mix = (at: 0 | 1 | 2) => pixel[at] * (1 - strength) + tone[at] * strength;
    if (isEnough([mix(0), mix(1), mix(2)])) return strength;
  }
  return 0.92;
}

/** WCAG 2.2, contrast ratio. */
function contrast(behind: Rgb, ink: number): number {
  const level = relativeLuminance(behind);
  return (Math.max(level, ink) + 0.05) / (Math.min(level, ink) + 0.05);
}

/** The tone as a gradient: full under the text, light where the picture may show. */
function scrim(request: UserPictureRequest, strength: number): string {
  const { canvas, theme, mirrored, width, height, textBottom } = request;
  const isLandscape = width > height;
  const stops: [at: number, part: number][] = isLandscape
    ? [
        [0, 1],
        [textSide, 1],
        [0.86, 0.35],
        [1, 0.2],
      ]
    : [
        [0, 1],
        [Math.min(0.9, textBottom + 0.04), 1],
        [Math.min(0.98, textBottom + 0.16), 0.35],
        [1, 0.3],
      ];
  const across = mirrored ? 'x1="1" x2="0" y1="0" y2="0"' : 'x1="0" x2="1" y1="0" y2="0"';
  const drawn = stops.map(
    ([at, part]) =>
      `<stop offset="${num(at)}" stop-color="${themeDesigns[theme].tone}" stop-opacity="${num(strength * part)}"/>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${canvas.width}" height="${canvas.height}">`,
    `<linearGradient id="tone" ${isLandscape ? across : 'x1="0" x2="0" y1="0" y2="1"'}>${drawn.join('')}</linearGradient>`,
    '<rect width="100%" height="100%" fill="url(#tone)"/></svg>',
  ].join('');
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
