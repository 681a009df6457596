import { featureSize } from './speech-features.js';

/** Slopes say less than the coefficients, and are noisier. */
const slopeWeight = 0.7;

/**
 * Rows brought to mean 0 and variance 1 over the given frames, so that microphone, room and voice weigh less.
 * Source: O. Viikki and K. Laurila, "Cepstral domain segmental feature vector normalization" (1998).
 */
export function normalised(rows: Float32Array, frames: readonly number[]): Float32Array {
  const size = featureSize;
  const out = new Float32Array(rows.length);
  const count = Math.max(1, frames.length);
  for (let k = 0; k < size; k += 1) {
    let mean = 0;
    for (const frame of frames) mean += (rows[frame * size + k] ?? 0) / count;
    let variance = 0;
    for (const frame of frames) variance += ((rows[frame * size + k] ?? 0) - mean) ** 2 / count;
    const scale = (k < size / 2 ? 1 : slopeWeight) / Math.sqrt(variance + 1e-6);
    for (let at = k; at < rows.length; at += size) out[at] = ((rows[at] ?? 0) - mean) * scale;
  }
  return out;
}

/** Means of `factor` rows after one another: the same speech, seen more coarsely. */
export function coarser(rows: Float32Array, factor: number): Float32Array {
  const size = featureSize;
  const frames = rows.length / size;
  const out = new Float32Array(Math.ceil(frames / factor) * size);
  for (let at = 0; at < rows.length; at += 1) {
    const row = Math.floor(at / size / factor);
    const members = Math.min(factor, frames - row * factor);
    const target = row * size + (at % size);
    out[target] = (out[target] ?? 0) + (rows[at] ?? 0) / members;
  }
  return out;
}
