import type { Reference } from './reference.js';
import { featureSize } from './speech-features.js';

/** Costs of a step, in the same measure as the distance of two frames, which is about 0.6 for the same sound. */
const stayCost = 0.06;
/** How much dearer each further frame on the same row is. */
const stayGrowth = 0.15;
/** Beyond so many frames on one row it is no speech any more. */
const longestStay = 12;
const overlongCost = 0.1;
const skipCost = 0.2;
const pauseEntryCost = 0.6;

/** A moment of the recording and what may be there. */
export interface WarpInput {
  frames: number;
  /** Normalised rows of the recording. */
  rows: Float32Array;
  /** Cost of taking a frame for a pause between words, and before the first or after the last. */
  innerPause: Float32Array;
  outerPause: Float32Array;
  /** Rows of the reference that are looked at for a frame: from (inclusive), to (exclusive). */
  band: { from: Int32Array; to: Int32Array };
}

export interface Warp {
  /** Row of the reference for each frame, −1 in a pause. */
  path: Int32Array;
  /** Mean cost of a frame. */
  cost: number;
}

const fromPause = 3;

/**
 * Dynamic time warping of a recording onto a reference, frame by frame of the recording: the next frame stays
 * on its row, goes on to the next, or skips one; before each word and at both ends there may be a pause of any
 * length. Memory: a byte for each cell of the band.
 * Source: H. Sakoe and S. Chiba, "Dynamic programming algorithm optimization for spoken word recognition" (1978).
 */
export function warp(reference: Reference, input: WarpInput): Warp {
  const { band, frames } = input;
  const rowCount = reference.wordOf.length;
  const pauseCount = reference.words + 1;
  const edges = wordEdges(reference);
  const offsets = bandOffsets(band, frames);
  const steps = new Uint8Array(offsets[frames] ?? 0);
  const pauseOffsets = bandOffsets(pauseBand(reference, band, frames), frames);
  const pauseSteps = new Uint8Array(pauseOffsets[frames] ?? 0);
  let costs = new Float64Array(rowCount).fill(Infinity);
  let nextCosts = new Float64Array(rowCount).fill(Infinity);
  let stays = new Uint16Array(rowCount);
  let nextStays = new Uint16Array(rowCount);
  const pauses = new Float64Array(pauseCount).fill(Infinity);
  pauses[0] = 0;
  const entering = new Float64Array(pauseCount);

  for (let t = 0; t < frames; t += 1) {
    const from = band.from[t] ?? 0;
    const to = band.to[t] ?? rowCount;
    const firstPause = reference.wordOf[from] ?? 0;
    const lastPause = (reference.wordOf[to - 1] ?? 0) + 1;
    const [offset, rowAt] = [offsets[t] ?? 0, t * featureSize];
    if (t > 1) nextCosts.fill(Infinity, band.from[t - 2] ?? 0, band.to[t - 2] ?? rowCount);
    for (let r = from; r < to; r += 1) {
      const stayed = stays[r] ?? 0;
      let step = 0;
      let best = (costs[r] ?? Infinity) + stayCost * (1 + stayGrowth * stayed);
      if (stayed > longestStay) best += overlongCost * (stayed - longestStay);
      const on = r >= 1 ? (costs[r - 1] ?? Infinity) : Infinity;
      if (on < best) {
        best = on;
        step = 1;
      }
      const skipped = r >= 2 ? (costs[r - 2] ?? Infinity) + skipCost : Infinity;
      if (skipped < best) {
        best = skipped;
        step = 2;
      }
      const word = reference.wordOf[r] ?? 0;
      const into = r - (edges.first[word] ?? 0);
      const started = into < 2 ? (pauses[word] ?? Infinity) + into * skipCost : Infinity;
      if (started < best) {
        best = started;
        step = fromPause;
      }
      if (best < Infinity) best += distance(reference.rows, r * featureSize, input.rows, rowAt);
      nextCosts[r] = best;
      nextStays[r] = step === 0 ? stayed + 1 : 0;
      steps[offset + r - from] = step;
    }
    for (let k = firstPause; k <= lastPause; k += 1) {
      const last = k > 0 ? (edges.last[k - 1] ?? 0) : -1;
      const ended = last >= 0 ? (costs[last] ?? Infinity) + pauseEntryCost : Infinity;
      const cut = last >= 1 ? (costs[last - 1] ?? Infinity) + pauseEntryCost + skipCost : Infinity;
      const stay = pauses[k] ?? Infinity;
      const best = Math.min(stay, ended, cut);
      const outer = k === 0 || k === pauseCount - 1;
      entering[k] = best + ((outer ? input.outerPause[t] : input.innerPause[t]) ?? 0);
      pauseSteps[(pauseOffsets[t] ?? 0) + k - firstPause] = best === stay ? 0 : best === ended ? 1 : 2;
    }
    for (let k = 0; k < pauseCount; k += 1) {
      pauses[k] = k < firstPause || k > lastPause ? Infinity : (entering[k] ?? Infinity);
    }
    [costs, nextCosts] = [nextCosts, costs];
    [stays, nextStays] = [nextStays, stays];
  }

  const path = new Int32Array(frames).fill(-1);
  let inPause = (pauses[pauseCount - 1] ?? Infinity) <= (costs[rowCount - 1] ?? Infinity);
  const cost = Math.min(pauses[pauseCount - 1] ?? Infinity, costs[rowCount - 1] ?? Infinity) / frames;
  let at = inPause ? pauseCount - 1 : rowCount - 1;
  for (let t = frames - 1; t >= 0; t -= 1) {
    const from = band.from[t] ?? 0;
    if (inPause) {
      const step = pauseSteps[(pauseOffsets[t] ?? 0) + at - (reference.wordOf[from] ?? 0)] ?? 0;
      if (step === 0) continue;
      inPause = false;
      at = (edges.last[at - 1] ?? 0) - (step - 1);
    } else {
      path[t] = at;
      const step = steps[(offsets[t] ?? 0) + at - from] ?? 0;
      if (step === fromPause) [inPause, at] = [true, reference.wordOf[at] ?? 0];
      else at -= step;
    }
  }
  return { path, cost };
}

/** Root mean square difference of two rows, each from its first number on. */
function distance(a: Float32Array, startA: number, b: Float32Array, startB: number): number {
  let sum = 0;
  for (let k = 0; k < featureSize; k += 1) {
    const difference = (a[startA + k] ?? 0) - (b[startB + k] ?? 0);
    sum += difference * difference;
  }
  return Math.sqrt(sum / featureSize);
}

function wordEdges({ wordOf, words }: Reference): { first: Int32Array; last: Int32Array } {
  const first = new Int32Array(words).fill(-1);
  const last = new Int32Array(words).fill(-1);
  for (const [row, word] of wordOf.entries()) {
    if ((first[word] ?? -1) < 0) first[word] = row;
    last[word] = row;
  }
  return { first, last };
}

/** Where each frame's cells begin; the last entry is the number of all. */
function bandOffsets({ from, to }: WarpInput['band'], frames: number): Float64Array {
  const offsets = new Float64Array(frames + 1);
  for (let t = 0; t < frames; t += 1) {
    offsets[t + 1] = (offsets[t] ?? 0) + (to[t] ?? 0) - (from[t] ?? 0);
  }
  return offsets;
}

function pauseBand({ wordOf }: Reference, band: WarpInput['band'], frames: number): WarpInput['band'] {
  const from = new Int32Array(frames);
  const to = new Int32Array(frames);
  for (let t = 0; t < frames; t += 1) {
    from[t] = wordOf[band.from[t] ?? 0] ?? 0;
    to[t] = (wordOf[(band.to[t] ?? 1) - 1] ?? 0) + 2;
  }
  return { from, to };
}
