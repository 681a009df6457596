import { streamFrames, type AacStream } from '../aac/adts.js';
import { joinStretches, StretchesApartError } from '../aac/stretch.js';
import type { AudioPlan } from '../composition.js';
import { limiterGains } from './limiter.js';
import { createLimitedMix } from './limited-mix.js';
import { loudnessWith, type MixLevels } from './mix-levels.js';
import { encodeStretches, type SoundStretchDeps } from './sound-stretches.js';
import { stretchCuts } from './stretch-cuts.js';

export interface MasterInput {
  /** Raw stereo 32-bit floats at 48 kHz. */
  source: string;
  levels: MixLevels;
  dir: string;
  plan: AudioPlan;
  signal: AbortSignal;
}

/** What lies between two samples, and what the encoder adds to a peak. */
export const headroomDb = 0.9;
/** Voices have their loudness already. Only a mix that misses it by more is moved, and in steps of half a
 * decibel, so that it is not moved otherwise, and encoded anew as a whole, when one scene is edited. */
const toleranceLu = 0.6;

/**
 * Brings a mix to its loudness, keeps its peaks below the ceiling and encodes it by stretches, of which those
 * that sound as they did before come from the cache.
 * @returns a stream that begins with its priming, as long as the plan.
 * @throws ApplicationFailure `audio_mastering_failed` when the peaks cannot be kept.
 */
export async function master(deps: SoundStretchDeps, input: MasterInput): Promise<AacStream> {
  const { levels, plan, signal, dir } = input;
  const ceilingDb = plan.truePeakDbtp - headroomDb;
  const trimDb = trimTo(levels, plan.loudnessLufs, ceilingDb);
  const gainsBelow = (ceilingDbAt: (step: number) => number) =>
    limiterGains(levels.peaks, factor(trimDb), (step) => factor(ceilingDbAt(step)));
  const mix = await createLimitedMix(input.source, plan.samples);
  try {
    const encode = async (cuts: number[]) =>
      joinStretches(
        await encodeStretches(deps, {
          ...{ mix, gainsBelow, ceilingDb, dir, signal, cuts },
          truePeakDbtp: plan.truePeakDbtp,
        }),
      );
    const cuts = stretchCuts(plan);
    const stream = await encode(cuts).catch((error: unknown) => {
      if (!(error instanceof StretchesApartError)) throw error;
      // Rare, and nothing to fail for: the sound is then encoded in one piece.
      return encode([cuts[0] ?? 0, cuts.at(-1) ?? 0]);
    });
    if (stream.frames.length !== streamFrames(plan.samples)) throw new Error('stretches are missing');
    return stream;
  } finally {
    await mix.close();
  }
}

/** The gain in half decibels that brings a mix near its loudness; each one into the limiter yields less than one. */
function trimTo(levels: MixLevels, wantedLufs: number, ceilingDb: number): number {
  const ceiling = factor(ceilingDb);
  let trimDb = 0;
  for (let turn = 0; turn < 12; turn += 1) {
    const missing =
      wantedLufs -
      loudnessWith(
        levels,
        limiterGains(levels.peaks, factor(trimDb), () => ceiling),
      );
    if (!Number.isFinite(missing) || Math.abs(missing) <= toleranceLu) break;
    trimDb += Math.round(missing * 2) / 2;
  }
  return trimDb;
}

const factor = (decibels: number) => 10 ** (decibels / 20);
