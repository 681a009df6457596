import { limiterGains, limiterStep } from './limiter.js';
import { gatingBlockSamples, meanLoudness } from './loudness.js';
import { createMixMeter, loudnessWith, type MixLevels } from './mix-levels.js';
import { blockSamples } from './pcm-file.js';

export interface SpeechLevel {
  /** What every voice has when it is limited to the ceiling. */
  loudnessLufs: number;
  ceilingDb: number;
}

/** More would raise the noise of an empty recording to the level of speech. */
const mostGainDb = 40;

/**
 * Brings a voice (mono, 48 kHz) to its level in place, by nothing but itself: how loud one scene is does not
 * depend on another, so that an edited one leaves the sound of all others as it was. Silence is left alone.
 * @param gainDb how much louder than the level it is wanted.
 */
export function levelVoice(
  pcm: Float32Array,
  { loudnessLufs, ceilingDb }: SpeechLevel,
  gainDb: number,
): void {
  const meter = createMixMeter(pcm.length, 1);
  for (let start = 0; start < pcm.length; start += blockSamples) {
    meter.add(pcm.subarray(start, start + blockSamples));
  }
  const gain = factor(gainTo(meter.levels(), loudnessLufs, ceilingDb) + gainDb);
  for (let n = 0; n < pcm.length; n += 1) pcm[n] = (pcm[n] ?? 0) * gain;
}

/** The gain in decibels; each one into the limiter yields less than one. */
function gainTo(levels: MixLevels, wantedLufs: number, ceilingDb: number): number {
  const ceiling = factor(ceilingDb);
  const isShort = levels.energies.length * limiterStep < gatingBlockSamples;
  let gainDb = 0;
  for (let turn = 0; turn < 12; turn += 1) {
    const gains = limiterGains(levels.peaks, factor(gainDb), () => ceiling);
    const missing = wantedLufs - (isShort ? shortLoudness(levels, gains) : loudnessWith(levels, gains));
    if (!Number.isFinite(missing) || Math.abs(missing) < 0.02) break;
    gainDb = Math.min(mostGainDb, gainDb + missing * (missing > 0 ? 1.2 : 1));
  }
  return gainDb;
}

/** A single syllable has no whole block to be gated: all of it counts. */
function shortLoudness({ energies }: MixLevels, gains: Float32Array): number {
  const energy = energies.reduce((sum, value, step) => sum + value * (gains[step] ?? 0) ** 2, 0);
  return meanLoudness(energy, energies.length * limiterStep);
}

const factor = (decibels: number) => 10 ** (decibels / 20);
