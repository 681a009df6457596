/** Small pieces of signal processing on mono samples, −1…1 as floats. */

const halfTaps = 16;

/**
 * Resamples by a rational factor with a polyphase windowed sinc (Blackman, 32 taps). Linear phase without
 * delay: a moment keeps its time.
 */
export function resample(input: Float32Array, fromRate: number, toRate: number): Float32Array {
  if (fromRate === toRate) return input.slice();
  const divisor = greatestCommonDivisor(fromRate, toRate);
  const up = toRate / divisor;
  const down = fromRate / divisor;
  const phases = sincPhases(up, Math.min(1, toRate / fromRate));
  const output = new Float32Array(Math.floor((input.length * up) / down));
  // Zeros around, because looking outside of an array is slow.
  const padded = new Float32Array(input.length + 2 * halfTaps);
  padded.set(input, halfTaps - 1);
  for (let n = 0; n < output.length; n += 1) {
    const position = n * down;
    const first = Math.floor(position / up);
    const taps = (position % up) * halfTaps * 2;
    let sum = 0;
    for (let k = 0; k < halfTaps * 2; k += 1) sum += (padded[first + k] ?? 0) * (phases[taps + k] ?? 0);
    output[n] = sum;
  }
  return output;
}

/** `up` filters of 32 taps, one for each fraction of an input sample; each sums to one. */
function sincPhases(up: number, cutoff: number): Float64Array {
  const phases = new Float64Array(up * halfTaps * 2);
  for (let phase = 0; phase < up; phase += 1) {
    const taps = phases.subarray(phase * halfTaps * 2, (phase + 1) * halfTaps * 2);
    for (let k = 0; k < taps.length; k += 1) {
      const x = k - halfTaps + 1 - phase / up;
      const angle = Math.PI * x * cutoff;
      const sinc = x === 0 ? cutoff : (Math.sin(angle) / angle) * cutoff;
      const t = (Math.PI * x) / halfTaps;
      taps[k] = sinc * (0.42 + 0.5 * Math.cos(t) + 0.08 * Math.cos(2 * t));
    }
    const sum = taps.reduce((total, tap) => total + tap, 0);
    for (let k = 0; k < taps.length; k += 1) taps[k] = (taps[k] ?? 0) / sum;
  }
  return phases;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** First and one past the last sample above `threshold` times the peak; undefined in silence. */
export function soundingRange(
  samples: Float32Array,
  threshold: number,
): { start: number; end: number } | undefined {
  const floor = threshold * peakOf(samples);
  if (floor === 0) return undefined;
  const start = samples.findIndex((sample) => Math.abs(sample) > floor);
  const end = samples.findLastIndex((sample) => Math.abs(sample) > floor) + 1;
  return { start, end };
}

export function peakOf(samples: Float32Array): number {
  let peak = 0;
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  return peak;
}

/** Root mean square over the frames that sound (20 ms, above −30 dB of the loudest), so that pauses do not count. */
export function speechLevel(samples: Float32Array, rate: number): number {
  const size = Math.max(1, Math.round(rate * 0.02));
  const powers: number[] = [];
  for (let at = 0; at < samples.length; at += size) {
    const frame = samples.subarray(at, at + size);
    powers.push(frame.reduce((sum, sample) => sum + sample * sample, 0) / frame.length);
  }
  const loudest = powers.reduce((max, power) => Math.max(max, power), 0);
  const sounding = powers.filter((power) => power > 0 && power > loudest / 1000);
  if (sounding.length === 0) return 0;
  return Math.sqrt(sounding.reduce((sum, power) => sum + power, 0) / sounding.length);
}

/** Brings speech to `levelDbfs` without letting its peak pass `peakDbfs`; silence stays silence. */
export function levelled(
  samples: Float32Array,
  rate: number,
  { levelDbfs, peakDbfs }: { levelDbfs: number; peakDbfs: number },
): Float32Array {
  const level = speechLevel(samples, rate);
  if (level === 0) return samples;
  const gain = Math.min(amplitude(levelDbfs) / level, amplitude(peakDbfs) / peakOf(samples));
  return samples.map((sample) => sample * gain);
}

const amplitude = (decibels: number) => 10 ** (decibels / 20);

/** Ramps the first and last samples, so that nothing clicks where a text is cut or joined. */
export function withFades(samples: Float32Array, fadeSamples: number): Float32Array {
  const length = Math.min(fadeSamples, Math.floor(samples.length / 2));
  const out = samples.slice();
  for (let n = 0; n < length; n += 1) {
    const gain = n / length;
    out[n] = (out[n] ?? 0) * gain;
    out[out.length - 1 - n] = (out[out.length - 1 - n] ?? 0) * gain;
  }
  return out;
}

export function toInt16(samples: Float32Array): Int16Array {
  const out = new Int16Array(samples.length);
  for (let n = 0; n < out.length; n += 1) {
    out[n] = Math.round(Math.max(-1, Math.min(1, samples[n] ?? 0)) * 32_767);
  }
  return out;
}

export function toFloat(samples: Int16Array): Float32Array {
  const out = new Float32Array(samples.length);
  for (let n = 0; n < out.length; n += 1) out[n] = (samples[n] ?? 0) / 32_768;
  return out;
}
