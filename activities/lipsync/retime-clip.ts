import { open, type FileHandle } from 'node:fs/promises';
import { clipFrameBytes, frameSeconds, type RawClip } from './lip-sync.js';

/** Pixels of a picture that are looked at as one. */
const blockPixels = 8;
/** Longest that a face holds still on purpose, where it says something longer. */
const longestStopSeconds = 0.4;

/**
 * The same pictures in another number of frames: some are held or left out at the quietest points of the clip, where the
 * picture moves least. The first and the last stay first and last.
 */
export async function retimeClip(clip: RawClip, frames: number, outPath: string): Promise<RawClip> {
  const bytes = clipFrameBytes(clip);
  const order = await retimedOrder(clip, frames);
  const [source, sink] = [await open(clip.path, 'r'), await open(outPath, 'w')];
  try {
    const buffer = Buffer.alloc(bytes);
    for (const [frame, from] of order.entries()) {
      await source.read(buffer, 0, bytes, from * bytes);
      await sink.write(buffer, 0, bytes, frame * bytes);
    }
  } finally {
    await source.close();
    await sink.close();
  }
  return { ...clip, path: outPath, frames };
}

/** Which frame of the clip shows as each of `frames` by {@link retimeClip}. */
export async function retimedOrder(clip: RawClip, frames: number): Promise<number[]> {
  const source = await open(clip.path, 'r');
  try {
    const longestStop = Math.round(longestStopSeconds / frameSeconds(clip));
    return retimedFrames(await thumbnailsOf(source, clip), frames, longestStop);
  } finally {
    await source.close();
  }
}

/** A picture's brightness, coarsely: mean luma of square blocks, 0–255. */
export type Thumbnail = Float32Array;

/**
 * Which of the pictures shows as each of `frames`.
 * @param longestStop frames for which one picture is held, unless there are too few of them.
 */
export function retimedFrames(pictures: readonly Thumbnail[], frames: number, longestStop: number): number[] {
  if (frames >= pictures.length) return heldAtQuietest(pictures, frames, longestStop);
  return frames === 1 ? [0] : withoutQuietest(pictures, frames);
}

/** One frame after the other goes whose neighbours are most alike. */
function withoutQuietest(pictures: readonly Thumbnail[], frames: number): number[] {
  const kept = pictures.map((_, index) => index);
  const jumpAt = (place: number) => difference(pictures, kept[place - 1], kept[place + 1]);
  const jumps = kept.map((_, place) => jumpAt(place));
  while (kept.length > frames) {
    let quietest = 1;
    for (let place = 2; place < kept.length - 1; place += 1) {
      if ((jumps[place] ?? 0) < (jumps[quietest] ?? 0)) quietest = place;
    }
    kept.splice(quietest, 1);
    jumps.splice(quietest, 1);
    for (const place of [quietest - 1, quietest]) jumps[place] = jumpAt(place);
  }
  return kept;
}

/**
 * Further frames become a few stops: one moment of stillness is seen less than a face that stutters. Each is short, at the
 * quietest points that lie apart from one another.
 */
function heldAtQuietest(pictures: readonly Thumbnail[], frames: number, longestStop: number): number[] {
  const extra = frames - pictures.length;
  const stops = Math.min(pictures.length, Math.ceil(extra / Math.max(1, longestStop)));
  const apart = Math.floor(pictures.length / (2 * stops));
  const points: number[] = [];
  for (const point of byMovement(pictures)) {
    if (points.length < stops && points.every((other) => Math.abs(other - point) >= apart))
      points.push(point);
  }
  points.sort((one, other) => one - other);
  return pictures.flatMap((_, n) => {
    const stop = points.indexOf(n);
    const held = stop < 0 ? 0 : share(extra, stop + 1, points.length) - share(extra, stop, points.length);
    return Array.from({ length: 1 + held }, () => n);
  });
}

/** What the first so many of all parts have of a whole. */
const share = (whole: number, parts: number, all: number) => Math.round((whole * parts) / all);

/** The pictures' numbers, those first around which least moves. */
function byMovement(pictures: readonly Thumbnail[]): number[] {
  const moves = pictures.map((_, n) => {
    const [before, after] = [difference(pictures, n - 1, n), difference(pictures, n, n + 1)];
    // At either end there is but one neighbour.
    return Math.max(before, after) === Infinity ? Math.min(before, after) : (before + after) / 2;
  });
  return moves.map((_, n) => n).sort((one, other) => (moves[one] ?? 0) - (moves[other] ?? 0));
}

/** Mean difference of two pictures; none is like one that is not there. */
function difference(pictures: readonly Thumbnail[], one = -1, other = -1): number {
  const [a, b] = [pictures[one], pictures[other]];
  if (a === undefined || b === undefined) return Infinity;
  let sum = 0;
  for (let n = 0; n < a.length; n += 1) sum += Math.abs((a[n] ?? 0) - (b[n] ?? 0));
  return sum / a.length;
}

async function thumbnailsOf(source: FileHandle, clip: RawClip): Promise<Thumbnail[]> {
  const luma = Buffer.alloc(clip.width * clip.height);
  const thumbnails: Thumbnail[] = [];
  for (let frame = 0; frame < clip.frames; frame += 1) {
    await source.read(luma, 0, luma.length, frame * clipFrameBytes(clip));
    thumbnails.push(thumbnailOf(luma, clip));
  }
  return thumbnails;
}

function thumbnailOf(luma: Uint8Array, { width, height }: Pick<RawClip, 'width' | 'height'>): Thumbnail {
  const across = Math.ceil(width / blockPixels);
  const sums = new Float32Array(across * Math.ceil(height / blockPixels));
  const counts = new Float32Array(sums.length);
  for (let y = 0; y < height; y += 1) {
    const row = Math.floor(y / blockPixels) * across;
    for (let x = 0; x < width; x += 1) {
      const block = row + Math.floor(x / blockPixels);
      sums[block] = (sums[block] ?? 0) + (luma[y * width + x] ?? 0);
      counts[block] = (counts[block] ?? 0) + 1;
    }
  }
  return sums.map((sum, block) => sum / (counts[block] ?? 1));
}
