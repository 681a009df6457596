import meyda from 'meyda/dist/node/main.js';
import { type MonoSound, resampled } from '../mono-sound.js';

/** Rate at which speech is looked at, Hz. */
export const analysisRate = 16_000;
/** 10 ms. */
export const hopSamples = 160;
export const hopSeconds = hopSamples / analysisRate;
const windowSamples = 400;
const bufferSamples = 512;
const coefficients = 13;
const melBands = 26;
/** Coefficients and their slopes. */
export const featureSize = 2 * coefficients;
/** Brings samples to the size of 16-bit numbers: meyda takes log(power + 1), which must not bend speech. */
const fullScale = 32_768;

/** One row of {@link featureSize} numbers for every 10 ms, and the level of each in dB of full scale. */
export interface SpeechFeatures {
  frames: number;
  rows: Float32Array;
  levelsDb: Float32Array;
}

/** 10 s: what is looked at in one piece. */
const pieceFrames = 1_000;

/**
 * Mel-frequency cepstra of mono speech: frame n is centred on n · 10 ms. Windows of 25 ms, pre-emphasis 0.97, 26 mel
 * bands, 13 coefficients and their slopes over ±2 frames.
 * Source: S. Davis and P. Mermelstein, "Comparison of parametric representations", IEEE ASSP 28 (1980).
 *
 * @param sound at any rate.
 */
export async function speechFeatures(sound: MonoSound): Promise<SpeechFeatures> {
  const heard = resampled(sound, analysisRate);
  const frames = Math.max(1, Math.ceil(heard.samples / hopSamples));
  const rows = new Float32Array(frames * featureSize);
  const levelsDb = new Float32Array(frames);
  const buffer = new Float32Array(bufferSamples);
  const highPass = createHighPass();
  const half = windowSamples / 2;
  let clear = await heard.read(-half, 2 * half);
  highPass(clear.subarray(half));
  for (let from = 0; from < frames; from += pieceFrames) {
    const count = Math.min(pieceFrames, frames - from);
    const start = from * hopSamples - half;
    // One sample more in front, which pre-emphasis needs.
    const samples = await heard.read(start - 1, count * hopSamples + windowSamples + 1);
    // What this piece begins with was filtered with the one before.
    const filtered = samples.slice(1);
    filtered.set(clear.subarray(clear.length - windowSamples));
    highPass(filtered.subarray(windowSamples));
    clear = filtered;
    // Its settings are everybody's.
    Object.assign(meyda, {
      bufferSize: bufferSamples,
      sampleRate: analysisRate,
      melBands,
      numberOfMFCCCoefficients: coefficients,
      windowingFunction: 'rect',
    });
    for (let n = 0; n < count; n += 1) {
      const frame = from + n;
      fillBuffer(buffer, samples, n * hopSamples + 1);
      levelsDb[frame] = levelOf(clear, n * hopSamples);
      const cepstrum = meyda.extract('mfcc', buffer) ?? [];
      for (let k = 0; k < coefficients; k += 1) rows[frame * featureSize + k] = cepstrum[k] ?? 0;
    }
  }
  addSlopes(rows, frames);
  return { frames, rows, levelsDb };
}

const hann = Float32Array.from(
  { length: windowSamples },
  (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (n + 0.5)) / windowSamples),
);

/** Windowed, pre-emphasised samples, zeros behind. */
function fillBuffer(buffer: Float32Array, samples: Float32Array, start: number): void {
  let before = samples[start - 1] ?? 0;
  for (let n = 0; n < windowSamples; n += 1) {
    const sample = samples[start + n] ?? 0;
    buffer[n] = (sample - 0.97 * before) * (hann[n] ?? 0) * fullScale;
    before = sample;
  }
}

function levelOf(samples: Float32Array, start: number): number {
  let energy = 0;
  for (let n = 0; n < windowSamples; n += 1) {
    const sample = samples[start + n] ?? 0;
    energy += sample * sample * (hann[n] ?? 0);
  }
  return 10 * Math.log10(energy / (windowSamples / 2) + 1e-10);
}

/**
 * High-pass of 12 dB an octave from 150 Hz: wind, steps and hum are no speech, however loud. Filters in place, one piece
 * after the other.
 */
function createHighPass(): (piece: Float32Array) => void {
  const pole = Math.exp((-2 * Math.PI * 150) / analysisRate);
  let [first, second, before, firstBefore] = [0, 0, 0, 0];
  return (piece) => {
    for (let n = 0; n < piece.length; n += 1) {
      const sample = piece[n] ?? 0;
      first = pole * (first + sample - before);
      second = pole * (second + first - firstBefore);
      before = sample;
      firstBefore = first;
      piece[n] = second;
    }
  };
}

/** Regression slopes over two frames on either side. */
function addSlopes(rows: Float32Array, frames: number): void {
  const at = (frame: number, k: number) =>
    rows[Math.max(0, Math.min(frames - 1, frame)) * featureSize + k] ?? 0;
  for (let frame = 0; frame < frames; frame += 1) {
    for (let k = 0; k < coefficients; k += 1) {
      const near = at(frame + 1, k) - at(frame - 1, k);
      const far = at(frame + 2, k) - at(frame - 2, k);
      rows[frame * featureSize + coefficients + k] = (near + 2 * far) / 10;
    }
  }
}
