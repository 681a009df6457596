import type { CaptionStrip } from '../composition.js';

export type Picture = Pick<CaptionStrip, 'x' | 'y' | 'width' | 'height' | 'rgba'>;

/**
 * Cuts the drawn part out of a frame whose colours are multiplied by alpha, and divides them again. Corners
 * are put on even pixels of the whole frame, where 4:2:0 pictures have their colour samples.
 * @param raw packed RGBA frames; `offset` (a multiple of 4) is the first byte of this one.
 * @param x @param y corner of this frame in the whole one, both even.
 * @returns a picture of width 0 when nothing is drawn.
 */
export function cropToStrip(
  raw: Buffer,
  offset: number,
  width: number,
  height: number,
  x: number,
  y: number,
): Picture {
  const pixels = new Uint32Array(raw.buffer, raw.byteOffset + offset, width * height);
  const box = drawnBox(pixels, width, height);
  if (box === undefined) return { x, y, width: 0, height: 0, rgba: Buffer.alloc(0) };
  const left = box.left - (box.left % 2);
  const top = box.top - (box.top % 2);
  const wide = Math.min(width, box.right + 1 + ((box.right + 1) % 2)) - left;
  const high = Math.min(height, box.bottom + 1 + ((box.bottom + 1) % 2)) - top;
  const straight = new Uint32Array(wide * high);
  for (let row = 0; row < high; row += 1) {
    const from = (top + row) * width + left;
    straightenRow(pixels, from, straight, row * wide, wide);
  }
  return { x: x + left, y: y + top, width: wide, height: high, rgba: Buffer.from(straight.buffer) };
}

function drawnBox(pixels: Uint32Array, width: number, height: number) {
  let top = -1;
  let bottom = -1;
  let left = width;
  let right = -1;
  for (let row = 0; row < height; row += 1) {
    const start = row * width;
    const end = start + width;
    let first = start;
    while (first < end && pixels[first] === 0) first += 1;
    if (first === end) continue;
    let last = end - 1;
    while (pixels[last] === 0) last -= 1;
    if (top < 0) top = row;
    bottom = row;
    left = Math.min(left, first - start);
    right = Math.max(right, last - start);
  }
  return top < 0 ? undefined : { top, bottom, left, right };
}

/** Pixels are little-endian: red is the lowest byte, alpha the highest. */
function straightenRow(
  source: Uint32Array,
  from: number,
  target: Uint32Array,
  to: number,
  count: number,
): void {
  for (let index = 0; index < count; index += 1) {
    const pixel = source[from + index] ?? 0;
    const alpha = pixel >>> 24;
    if (alpha === 0) continue;
    if (alpha === 255) {
      target[to + index] = pixel;
      continue;
    }
    const red = divided[(alpha << 8) | (pixel & 255)] ?? 0;
    const green = divided[(alpha << 8) | ((pixel >>> 8) & 255)] ?? 0;
    const blue = divided[(alpha << 8) | ((pixel >>> 16) & 255)] ?? 0;
    target[to + index] = ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  }
}

/** Colour over alpha for every pair of bytes, at `alpha * 256 + colour`. */
const divided = Uint8Array.from({ length: 65_536 }, (_, index) => {
  const alpha = index >>> 8;
  return alpha === 0 ? 0 : Math.min(255, Math.round(((index & 255) * 255) / alpha));
});
