import { once } from 'node:events';
import { createDeflate, crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';

/** Pictures of few bytes that are large once they are decoded. */

const signature = Buffer.from('89504e470d0a1a0a', 'hex');

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

function png(width: number, height: number, form: number[], data: Buffer): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set(form, 8);
  return Buffer.concat([
    signature,
    pngChunk('IHDR', header),
    pngChunk('IDAT', data),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A PNG of one bit a pixel; tens of kilobytes for any size. */
export function blankPng(width: number, height = width): Buffer {
  const rows = Buffer.alloc((Math.ceil(width / 8) + 1) * height);
  return png(width, height, [1, 0, 0, 0, 0], deflateSync(rows));
}

/** First column and row of each pass of Adam7, and the steps to the next: PNG 1.2, section 2.6. */
const passes = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** A whole, interlaced PNG of 16-bit RGBA: eight bytes a pixel, all of which its decoder needs at once. */
export async function interlacedPng(side: number): Promise<Buffer> {
  // Not made in one piece: what this process had in memory would hide what the decoder takes.
  const deflate = createDeflate({ level: 1 });
  const parts: Buffer[] = [];
  deflate.on('data', (part: Buffer) => parts.push(part));
  const ended = once(deflate, 'end');
  for (const [left, top, across, down] of passes) {
    const row = Buffer.alloc(1 + 8 * Math.ceil((side - left) / across));
    for (let y = top; y < side; y += down) if (!deflate.write(row)) await once(deflate, 'drain');
  }
  deflate.end();
  await ended;
  return png(side, side, [16, 6, 0, 0, 1], Buffer.concat(parts));
}

const small = () => sharp({ create: { width: 16, height: 16, channels: 3, background: '#305080' } });

/** A progressive JPEG of 4:4:4 whose header speaks of another size than it has. */
export async function lyingJpeg(side: number): Promise<Buffer> {
  const jpeg = await small().jpeg({ progressive: true, chromaSubsampling: '4:4:4' }).toBuffer();
  // Start of frame, progressive: marker, length, precision, height, width; ITU-T T.81, B.2.2.
  const frame = jpeg.indexOf(Buffer.from([0xff, 0xc2]));
  jpeg.writeUInt16BE(side, frame + 5);
  jpeg.writeUInt16BE(side, frame + 7);
  return jpeg;
}

/** The same of a WebP, whose size is two times 14 bits; RFC 6386, 9.1. */
export async function lyingWebp(side: number): Promise<Buffer> {
  const webp = await small().webp().toBuffer();
  const start = webp.indexOf(Buffer.from([0x9d, 0x01, 0x2a]));
  webp.writeUInt16LE(side, start + 3);
  webp.writeUInt16LE(side, start + 5);
  return webp;
}
