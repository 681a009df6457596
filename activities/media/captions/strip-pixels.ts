import type { Area } from '../composition.js';
import { wordOfColour } from './ass.js';

export interface Picture {
  x: number;
  y: number;
  width: number;
  height: number;
  rgba: Buffer;
}

/** Packed RGBA frames whose colours are multiplied by alpha, and where in the whole frame they stand (even). */
export interface DrawnFrames {
  raw: Buffer;
  x: number;
  y: number;
  width: number;
  height: number;
}

function pixelsOf({ raw, width, height }: DrawnFrames, index: number): Uint32Array {
  return new Uint32Array(raw.buffer, raw.byteOffset + index * width * height * 4, width * height);
}

/**
 * Where something is drawn in frame `index`, in pixels of the whole frame. Corners are on even pixels, where
 * 4:2:0 pictures have their colour samples. Undefined when nothing is drawn.
 */
export function drawnArea(frames: DrawnFrames, index: number): Area | undefined {
  const { x, y, width, height } = frames;
  const box = drawnBox(pixelsOf(frames, index), width, height);
  return box && evenArea({ ...box, right: box.right + 1, bottom: box.bottom + 1 }, { x, y, width, height });
}

/** Cuts an area out of frame `index`, and divides its colours by alpha. */
export function cutOut(frames: DrawnFrames, index: number, area: Area): Picture {
  const pixels = pixelsOf(frames, index);
  const [wide, high] = [area.right - area.left, area.bottom - area.top];
  const straight = new Uint32Array(wide * high);
  for (let row = 0; row < high; row += 1) {
    const from = (area.top - frames.y + row) * frames.width + area.left - frames.x;
    straightenRow(pixels, from, straight, row * wide, wide);
  }
  return { x: area.left, y: area.top, width: wide, height: high, rgba: Buffer.from(straight.buffer) };
}

/** Boxes of words in a frame that has letters in {@link wordColour}, in pixels of the whole frame. */
export function wordAreas(frames: DrawnFrames, index: number): Map<number, Area> {
  const pixels = pixelsOf(frames, index);
  const { x, y, width } = frames;
  const found = new Map<number, Area>();
  for (let at = 0; at < pixels.length; at += 1) {
    const pixel = pixels[at] ?? 0;
    const alpha = pixel >>> 24;
    // Paler edges do not tell the colour well enough.
    if (alpha < 128) continue;
    const colour = (byte: number) => divided[(alpha << 8) | byte] ?? 0;
    const word = wordOfColour(colour(pixel & 255), colour((pixel >>> 8) & 255));
    const [column, row] = [at % width, Math.floor(at / width)];
    const area = found.get(word);
    if (!area) {
      found.set(word, { left: column, top: row, right: column + 1, bottom: row + 1 });
      continue;
    }
    area.left = Math.min(area.left, column);
    area.right = Math.max(area.right, column + 1);
    area.bottom = row + 1;
  }
  const whole = ({ left, top, right, bottom }: Area): Area => ({
    left: left + x,
    top: top + y,
    right: right + x,
    bottom: bottom + y,
  });
  return new Map([...found].map(([word, area]) => [word, whole(area)]));
}

function evenArea(box: Area, { x, y, width, height }: Omit<DrawnFrames, 'raw'>): Area {
  return {
    left: x + box.left - (box.left % 2),
    top: y + box.top - (box.top % 2),
    right: x + Math.min(width, box.right + (box.right % 2)),
    bottom: y + Math.min(height, box.bottom + (box.bottom % 2)),
  };
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
