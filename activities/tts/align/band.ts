import { coarser } from './normalise.js';
import type { Reference } from './reference.js';
import { featureSize } from './speech-features.js';
import { type Warp, warp, type WarpInput } from './warp.js';

/** Cells that are looked at without a band, so bytes of memory: 40 s of speech against as much. */
const maxCells = 16_000_000;
/** Cells that are worth looking at without a band: 14 s of speech; but nothing coarser than this many frames for it. */
const cheapCells = 2_000_000;
const cheapFactor = 4;
/** Rows to either side of the coarse alignment that the fine one may use: 1.5 s, and four coarse steps. */
const coarseReach = 150;
/** Rows to either side of an alignment that another of the same recording may use: 0.75 s. */
const nearReach = 75;

/**
 * Warps with bounded memory: long speech is aligned coarsely first, then finely in a band around that.
 * Source: S. Salvador and P. Chan, "FastDTW" (2007).
 */
export function warpBounded(reference: Reference, input: Omit<WarpInput, 'band'>): Warp {
  const rowCount = reference.wordOf.length;
  const factorFor = (cells: number) => Math.ceil(Math.sqrt((rowCount * input.frames) / cells));
  const factor = Math.max(factorFor(maxCells), Math.min(cheapFactor, factorFor(cheapCells)));
  if (factor <= 1) return warp(reference, { ...input, band: fullBand(input.frames, rowCount) });
  const { path } = warp(...coarsened(reference, input, factor));
  const margin = coarseReach + 4 * factor;
  const starts = coarseStarts(reference, factor);
  const band = bandAround(path, { factor, margin }, { frames: input.frames, rowCount, starts });
  return warp(reference, { ...input, band });
}

/** Warps in a band around an earlier alignment of the same recording, which another like it will not leave. */
export function warpNear(reference: Reference, input: Omit<WarpInput, 'band'>, path: Int32Array): Warp {
  const rowCount = reference.wordOf.length;
  const starts = Int32Array.from({ length: rowCount }, (_, row) => row);
  return warp(reference, {
    ...input,
    band: bandAround(path, { factor: 1, margin: nearReach }, { frames: input.frames, rowCount, starts }),
  });
}

function fullBand(frames: number, rowCount: number): WarpInput['band'] {
  return { from: new Int32Array(frames), to: new Int32Array(frames).fill(rowCount) };
}

/** First fine row of every coarse one: rows are joined within a word only. */
function coarseStarts({ wordOf }: Reference, factor: number): number[] {
  const starts: number[] = [];
  for (let row = 0; row < wordOf.length; row += 1) {
    const start = starts.at(-1);
    if (start === undefined || row - start >= factor || wordOf[row] !== wordOf[start]) starts.push(row);
  }
  return starts;
}

function coarsened(
  reference: Reference,
  input: Omit<WarpInput, 'band'>,
  factor: number,
): [Reference, WarpInput] {
  const starts = coarseStarts(reference, factor);
  const rows = new Float32Array(starts.length * featureSize);
  for (const [n, start] of starts.entries()) {
    const end = starts[n + 1] ?? reference.wordOf.length;
    const part = reference.rows.subarray(start * featureSize, end * featureSize);
    rows.set(coarser(part, end - start), n * featureSize);
  }
  const frames = Math.ceil(input.frames / factor);
  const thinned = (values: Float32Array) =>
    Float32Array.from({ length: frames }, (_, t) => {
      const part = values.subarray(t * factor, (t + 1) * factor);
      return part.reduce((sum, value) => sum + value, 0) / part.length;
    });
  return [
    { ...reference, rows, wordOf: Int32Array.from(starts, (start) => reference.wordOf[start] ?? 0) },
    {
      frames,
      rows: coarser(input.rows, factor),
      innerPause: thinned(input.innerPause),
      outerPause: thinned(input.outerPause),
      band: fullBand(frames, starts.length),
    },
  ];
}

/** @param starts fine row with which every row of the path begins. */
function bandAround(
  path: Int32Array,
  { factor, margin }: { factor: number; margin: number },
  { frames, rowCount, starts }: { frames: number; rowCount: number; starts: ArrayLike<number> },
): WarpInput['band'] {
  const from = new Int32Array(frames);
  const to = new Int32Array(frames);
  // A pause lies between the row before it and the one after.
  const before = new Int32Array(path.length);
  const after = new Int32Array(path.length);
  for (let t = 0, row = 0; t < path.length; t += 1) {
    if ((path[t] ?? -1) >= 0) row = starts[path[t] ?? 0] ?? 0;
    before[t] = row;
  }
  for (let t = path.length - 1, row = rowCount - 1; t >= 0; t -= 1) {
    if ((path[t] ?? -1) >= 0) row = starts[path[t] ?? 0] ?? 0;
    after[t] = row;
  }
  for (let t = 0; t < frames; t += 1) {
    const coarse = Math.min(path.length - 1, Math.floor(t / factor));
    from[t] = Math.max(0, (before[coarse] ?? 0) - margin);
    to[t] = Math.min(rowCount, (after[coarse] ?? 0) + margin);
  }
  return { from, to };
}
