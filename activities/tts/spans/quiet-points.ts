import type { MonoSound } from '../mono-sound.js';

/** 5 ms: one look at the level. */
const frameSeconds = 0.005;
/** How much louder than the quietest moment near by a moment may be and still count as quiet, dB. */
const toleranceDb = 3;

/**
 * The quiet moment nearest to `seconds` that lies in `from`–`to`, all in seconds: where a recording is cut and it is
 * heard least.
 */
export async function nearestQuiet(
  sound: MonoSound,
  seconds: number,
  { from, to }: { from: number; to: number },
): Promise<number> {
  const { rate, samples } = sound;
  const size = Math.max(1, Math.round(frameSeconds * rate));
  const mostFrames = Math.floor(samples / size);
  const frameOf = (time: number) => Math.min(mostFrames, Math.max(0, Math.round((time * rate) / size)));
  const first = frameOf(from);
  const frames = Array.from({ length: Math.max(0, frameOf(to) - first) + 1 }, (_, n) => first + n);
  const around = await sound.read((first - 1) * size, (frames.length + 1) * size);
  const levels = frames.map((_, n) => levelOf(around.subarray(n * size, (n + 2) * size)));
  const limit = Math.min(...levels) + toleranceDb;
  const quiet = frames.filter((_, n) => (levels[n] ?? 0) <= limit);
  const wanted = (seconds * rate) / size;
  const best = quiet.reduce(
    (near, frame) => (Math.abs(frame - wanted) < Math.abs(near - wanted) ? frame : near),
    quiet[0] ?? Math.round(wanted),
  );
  return (best * size) / rate;
}

function levelOf(samples: Float32Array): number {
  const energy = samples.reduce((sum, sample) => sum + sample ** 2, 0);
  return 10 * Math.log10(energy / Math.max(1, samples.length) + 1e-10);
}
