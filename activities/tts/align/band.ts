import { coarser } from './normalise.js';
import type { Reference } from './reference.js';
import { featureSize } from './speech-features.js';
import { type Warp, warp, type WarpInput } from './warp.js';

/** Cells that are looked at without a band, so bytes of memory: 40 s of speech against as much. */
const maxCells = 16_000_000;
/** Rows to either side of the coarse alignment that the fine one may use: 1.5 s, and four coarse steps. */
const reach = 150;

/**
 * Warps with bounded memory: long speech is aligned coarsely first, then finely in a band around that.
 * Source: S. Salvador and P. Chan, "FastDTW" (2007).
 */
export function warpBounded(reference: Reference, input: Omit<WarpInput, 'band'>): Warp {
  const rowCount = reference.wordOf.length;
  const factor = Math.ceil(Math.sqrt((rowCount * input.frames) / maxCells));
  if (factor <= 1) return warp(reference, { ...input, band: fullBand(input.frames, rowCount) });
  const { path } = warp(...coarsened(reference, input, factor));
  const band = bandAround(path, factor, input.frames, rowCount, coarseStarts(reference, factor));
  return warp(reference, { ...input, band });
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

function bandAround(
  path: Int32Array,
  factor: number,
  frames: number,
  rowCount: number,
  starts: readonly number[],
): WarpInput['band'] {
  const margin = reach + 4 * factor;
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
