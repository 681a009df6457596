/** 5 ms: one look at the level. */
const frameSeconds = 0.005;
/** How much louder than the quietest moment near by a moment may be and still count as quiet, dB. */
const toleranceDb = 3;

/** Levels of a recording around a moment, for cutting it where it is heard least. */
export interface QuietPoints {
  /** The quiet moment nearest to `seconds` that lies in `from`–`to`, all in seconds. */
  nearest(seconds: number, from: number, to: number): number;
}

/** @param samples mono, −1…1. */
export function createQuietPoints(samples: Float32Array, rate: number): QuietPoints {
  const size = Math.max(1, Math.round(frameSeconds * rate));
  const level = (frame: number) => {
    let energy = 0;
    const start = frame * size;
    for (let n = start - size; n < start + size; n += 1) energy += (samples[n] ?? 0) ** 2;
    return 10 * Math.log10(energy / (2 * size) + 1e-10);
  };
  return {
    nearest(seconds, from, to) {
      const last = Math.floor(samples.length / size);
      const [first, end] = [from, to].map((time) => {
        return Math.min(last, Math.max(0, Math.round((time * rate) / size)));
      });
      const frames = Array.from(
        { length: Math.max(0, (end ?? 0) - (first ?? 0)) + 1 },
        (_, n) => (first ?? 0) + n,
      );
      const levels = frames.map(level);
      const limit = Math.min(...levels) + toleranceDb;
      const quiet = frames.filter((_, n) => (levels[n] ?? 0) <= limit);
      const wanted = (seconds * rate) / size;
      const best = quiet.reduce(
        (near, frame) => (Math.abs(frame - wanted) < Math.abs(near - wanted) ? frame : near),
        quiet[0] ?? Math.round(wanted),
      );
      return (best * size) / rate;
    },
  };
}
