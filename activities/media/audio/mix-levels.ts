import { createKWeighting } from './k-weighting.js';
import { limiterStep } from './limiter.js';
import { gatedLoudness, stepSamples } from './loudness.js';

/** What a mix is like in each millisecond: all that is needed to know what a gain would make of it. */
export interface MixLevels {
  /** Highest sample of either channel. */
  peaks: Float32Array;
  /** Sum of the squares of both channels' K-weighted samples. */
  energies: Float64Array;
}

/** Takes the levels of interleaved stereo at 48 kHz as it passes by in whole seconds. */
export function createMixMeter(samples: number) {
  const steps = Math.ceil(samples / limiterStep);
  const levels: MixLevels = { peaks: new Float32Array(steps), energies: new Float64Array(steps) };
  const [left, right] = [createKWeighting(), createKWeighting()];
  let step = 0;
  return {
    add(pcm: Float32Array): void {
      for (let from = 0; from < pcm.length; from += 2 * limiterStep, step += 1) {
        const end = Math.min(pcm.length, from + 2 * limiterStep);
        const count = (end - from) / 2;
        levels.peaks[step] = highest(pcm, from, end);
        levels.energies[step] = left.energy(pcm, from, 2, count) + right.energy(pcm, from + 1, 2, count);
      }
    },
    levels: () => levels,
  };
}

function highest(pcm: Float32Array, from: number, end: number): number {
  let peak = 0;
  for (let n = from; n < end; n += 1) {
    const sample = pcm[n] ?? 0;
    if (sample > peak) peak = sample;
    else if (-sample > peak) peak = -sample;
  }
  return peak;
}

/**
 * Integrated loudness of a mix multiplied by gains that change slowly against the pitch of what is heard.
 * @param gains at both ends of each step.
 */
export function loudnessWith({ energies }: MixLevels, gains: Float32Array): number {
  const perStep = stepSamples / limiterStep;
  const whole = Math.floor(energies.length / perStep);
  const sums = new Float64Array(whole);
  for (let step = 0; step < whole * perStep; step += 1) {
    const gain = ((gains[step] ?? 0) + (gains[step + 1] ?? 0)) / 2;
    const at = Math.floor(step / perStep);
    sums[at] = (sums[at] ?? 0) + gain * gain * (energies[step] ?? 0);
  }
  return gatedLoudness(sums);
}
