import type { Track } from '../mp4/movie.js';
import type { FrameRate } from './base-commands.js';

const common: readonly FrameRate[] = [
  [24_000, 1001],
  [24, 1],
  [25, 1],
  [30_000, 1001],
  [30, 1],
  [48, 1],
  [50, 1],
  [60_000, 1001],
  [60, 1],
].map(([numerator = 30, denominator = 1]) => ({ numerator, denominator }));

/** The usual rate that is nearest to a measured one, up to 60 frames a second. */
export function nearestRate(framesPerSecond: number): FrameRate {
  const distance = ({ numerator, denominator }: FrameRate) =>
    Math.abs(Math.log(numerator / denominator / framesPerSecond));
  const [nearest = { numerator: 30, denominator: 1 }] = common.toSorted((a, b) => distance(a) - distance(b));
  return nearest;
}

/** A track's own rate where all pictures last equally long, else the usual one that is nearest. */
export function rateOf({ samples, timescale, duration }: Track): FrameRate {
  const [first] = samples;
  // The last one's duration is often a guess of whoever wrote the file.
  const isConstant = samples.slice(0, -1).every((sample) => sample.duration === first?.duration);
  if (first === undefined || !isConstant || first.duration === 0) {
    return nearestRate(samples.length / Math.max(1e-9, duration / timescale));
  }
  const divisor = greatestCommonDivisor(timescale, first.duration);
  return { numerator: timescale / divisor, denominator: first.duration / divisor };
}

/** Index of the picture that shows at a time, in seconds. */
export function frameAt(seconds: number, { numerator, denominator }: FrameRate): number {
  return Math.floor((seconds * numerator) / denominator + 1e-6);
}

export function secondsOf(frames: number, { numerator, denominator }: FrameRate): number {
  return (frames * denominator) / numerator;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
