import { createKWeighting } from './k-weighting.js';
import { limiterStep } from './limiter.js';
import { gatedLoudness, stepSamples } from './loudness.js';

/** What a sound is like in each step of the limiter: all that is needed to know what a gain would make of it. */
export interface MixLevels {
  /** Highest sample of any channel. */
  peaks: Float32Array;
  /** Sum of the squares of both channels' K-weighted samples. */
  energies: Float64Array;
}

/**
 * Takes the levels of interleaved sound at 48 kHz as it passes by in whole seconds.
 * @param channels 1 is taken as the same sound on the left and on the right.
 */
export function createMixMeter(samples: number, channels: 1 | 2) {
  const steps = Math.ceil(samples / limiterStep);
  const levels: MixLevels = { peaks: new Float32Array(steps), energies: new Float64Array(steps) };
  const weightings = Array.from({ length: channels }, createKWeighting);
  const share = 2 / channels;
  let step = 0;
  return {
    add(pcm: Float32Array): void {
      for (let from = 0; from < pcm.length; from += channels * limiterStep, step += 1) {
        const end = Math.min(pcm.length, from + channels * limiterStep);
        const count = (end - from) / channels;
        levels.peaks[step] = highest(pcm, from, end);
        let energy = 0;
        for (let channel = 0; channel < channels; channel += 1) {
          energy += weightings[channel]?.energy(pcm, from + channel, channels, count) ?? 0;
        }
        levels.energies[step] = share * energy;
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
