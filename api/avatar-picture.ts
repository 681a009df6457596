import sharp, { type Metadata } from 'sharp';
import { decodedBytes, maxDecodedBytes } from '../activities/media/intake/decoded-size.js';
import { ProblemError } from './errors.js';

/** Pixels of a side of every avatar. */
export const avatarSide = 512;

/** Below this a picture says nothing; it also bounds how far a thin strip would be blown up. */
const minSide = 16;
const maxAspectRatio = 20;

const decodeSeconds = 20;

/** By the file's first bytes, before any decoder sees it: libvips would open SVG, PDF and more. */
const signatures: readonly { format: string; matches: (head: Buffer) => boolean }[] = [
  { format: 'jpeg', matches: (head) => head.toString('hex', 0, 3) === 'ffd8ff' },
  { format: 'png', matches: (head) => head.toString('hex', 0, 8) === '89504e470d0a1a0a' },
  { format: 'gif', matches: (head) => /^GIF8[79]a/.test(head.toString('latin1', 0, 6)) },
  { format: 'webp', matches: (head) => /^RIFF.{4}WEBP/s.test(head.toString('latin1', 0, 12)) },
];

/**
 * Any JPEG, PNG, GIF (its first frame) or WebP picture as a square WebP: turned as its camera says, cropped about
 * its middle, in sRGB, without metadata. How large it would be decoded is known from its header, before it is.
 *
 * @throws ProblemError `unsupported_media`, `invalid_image`
 */
export function drawAvatar(picture: Buffer): Promise<Buffer> {
  const drawn = turn.then(() => draw(picture));
  turn = drawn.catch(() => undefined);
  return drawn;
}

/** One picture at a time: decoding takes memory, and the threads that it runs on serve others too. */
let turn: Promise<unknown> = Promise.resolve();

async function draw(picture: Buffer): Promise<Buffer> {
  const format = signatures.find(({ matches }) => matches(picture))?.format;
  if (format === undefined) {
    throw new ProblemError('unsupported_media', {
      detail: 'The picture must be a JPEG, PNG, GIF or WebP file.',
    });
  }
  // Our own limit below is the tighter one.
  const input = { limitInputPixels: maxDecodedBytes, failOn: 'error', pages: 1 } as const;
  const header = await sharp(picture, input).metadata().catch(refuseDamaged);
  if (header.format !== format) throw damaged();
  assertSize(header);
  return sharp(picture, input)
    .autoOrient()
    .resize(avatarSide, avatarSide, { fit: 'cover' })
    .toColourspace('srgb')
    .webp({ quality: 85, effort: 4 })
    .timeout({ seconds: decodeSeconds })
    .toBuffer()
    .catch(refuseDamaged);
}

function assertSize(header: Metadata): void {
  const { width, height } = header;
  if (decodedBytes(header) > maxDecodedBytes)
    throw refused(`has ${width} × ${height} pixels, which is too many`);
  if (Math.min(width, height) < minSide) throw refused(`is less than ${minSide} pixels wide or high`);
  if (Math.max(width, height) > maxAspectRatio * Math.min(width, height)) {
    throw refused(`is more than ${maxAspectRatio} times as long as wide`);
  }
}

function refused(reason: string): ProblemError {
  return new ProblemError('invalid_image', {
    detail: `The picture ${reason}.`,
    errors: [{ path: 'body.image', message: reason }],
  });
}

function damaged(cause?: unknown): ProblemError {
  return new ProblemError('invalid_image', { cause });
}

function refuseDamaged(cause: unknown): never {
  throw damaged(cause);
}
