import { openWav } from '../media/personalize/wav-window.js';
import { resample } from './pcm.js';

/** Where a sound lies: in a 16-bit WAV of ours, or in memory, mono. Floats reach from −1 to 1. */
export type RecordedSound = { wav: string } | { samples: Float32Array | Int16Array; rate: number };

/** One channel of sound that is read in pieces, so that hours of it never lie in memory. */
export interface MonoSound {
  rate: number;
  samples: number;
  /** From sample `start` on, −1…1; zeros before the first and after the last. */
  read(start: number, samples: number): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Opens a sound, its channels mixed to one. @throws Error for what is no WAV of ours. */
export async function openMono(sound: RecordedSound): Promise<MonoSound> {
  if ('samples' in sound) return monoOfSamples(sound);
  const wav = await openWav(sound.wav);
  return {
    rate: wav.sampleRate,
    samples: wav.samples,
    async read(start, count) {
      const interleaved = await wav.read(start, count);
      if (wav.channels === 1) return interleaved;
      const mixed = new Float32Array(count);
      for (let n = 0; n < count; n += 1) {
        mixed[n] = ((interleaved[2 * n] ?? 0) + (interleaved[2 * n + 1] ?? 0)) / 2;
      }
      return mixed;
    },
    close: () => wav.close(),
  };
}

function monoOfSamples({ samples, rate }: Extract<RecordedSound, { rate: number }>): MonoSound {
  const scale = samples instanceof Int16Array ? 1 / 32_768 : 1;
  return {
    rate,
    samples: samples.length,
    read(start, count) {
      const piece = new Float32Array(count);
      const from = Math.max(0, start);
      const part = samples.subarray(from, Math.max(from, start + count));
      for (let n = 0; n < part.length; n += 1) piece[from - start + n] = (part[n] ?? 0) * scale;
      return Promise.resolve(piece);
    },
    close: () => Promise.resolve(),
  };
}

/** Samples at either end of a piece that its resampling needs to know, and more. */
const contextSamples = 64;

/** The same sound at another rate, as {@link resample} gives it. */
export function resampled(sound: MonoSound, rate: number): MonoSound {
  if (sound.rate === rate) return sound;
  const divisor = greatestCommonDivisor(sound.rate, rate);
  const [up, down] = [rate / divisor, sound.rate / divisor];
  // Pieces begin where a sample of one rate falls on one of the other.
  const margin = Math.ceil(contextSamples / down);
  const samples = Math.floor((sound.samples * up) / down);
  return {
    rate,
    samples,
    async read(start, count) {
      const first = Math.floor(start / up) - margin;
      const last = Math.ceil((start + count) / up) + margin;
      const piece = resample(await sound.read(first * down, (last - first) * down), sound.rate, rate);
      const wanted = piece.slice(start - first * up, start - first * up + count);
      // A filter rings on where the sound has ended.
      wanted.fill(0, 0, Math.min(count, Math.max(0, -start)));
      wanted.fill(0, Math.max(0, Math.min(count, samples - start)));
      return wanted;
    },
    close: () => sound.close(),
  };
}

/** The whole of a sound in pieces of so many samples; the last may be shorter. */
export async function* piecesOf(sound: MonoSound, pieceSamples: number): AsyncGenerator<Float32Array> {
  for (let at = 0; at < sound.samples; at += pieceSamples) {
    yield await sound.read(at, Math.min(pieceSamples, sound.samples - at));
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
