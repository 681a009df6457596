import { open } from 'node:fs/promises';
import { createKWeighting } from './k-weighting.js';
import { blockSamples, bytesOf, readFully } from './pcm-file.js';
import { createSamplePeakMeter, createTruePeakMeter } from './true-peak.js';

export interface Loudness {
  /** Integrated, gated; -Infinity for silence. */
  integratedLufs: number;
  /** Highest true peak of any channel; -Infinity for silence. */
  truePeakDbtp: number;
  /** Samples of one channel. */
  samples: number;
}

export interface MeterOptions {
  /** Takes the highest sample for the peak, which costs less and is up to a few decibels lower. */
  samplePeak?: boolean;
}

/** 100 ms: a quarter of a gating block, which they overlap by. */
export const stepSamples = 4_800;
/** Shorter sound has no loudness that is gated. */
export const gatingBlockSamples = 4 * stepSamples;

/**
 * Measures raw 32-bit float PCM at 48 kHz as it streams by, in constant memory.
 * Source: ITU-R BS.1770-4 (weighting, gating, true peak) and EBU R 128.
 */
export async function measureLoudness(
  path: string,
  channels: 1 | 2,
  options: MeterOptions = {},
): Promise<Loudness> {
  const meter = createLoudnessMeter(channels, options);
  const file = await open(path, 'r');
  const block = new Float32Array(channels * blockSamples);
  try {
    for (let at = 0, bytes = block.byteLength; bytes === block.byteLength; at += bytes) {
      bytes = await readFully(file, bytesOf(block), at);
      meter.add(block.subarray(0, Math.floor(bytes / (4 * channels)) * channels));
    }
  } finally {
    await file.close();
  }
  return meter.result();
}

/** @param channels 1 is taken as the same sound on the left and on the right. */
export function createLoudnessMeter(channels: 1 | 2, { samplePeak = false }: MeterOptions = {}) {
  const weightings = Array.from({ length: channels }, createKWeighting);
  const peaks = Array.from({ length: channels }, samplePeak ? createSamplePeakMeter : createTruePeakMeter);
  const stepEnergies: number[] = [];
  let energy = 0;
  let inStep = 0;
  let samples = 0;
  return {
    /** Interleaved samples. */
    add(pcm: Float32Array): void {
      const frames = pcm.length / channels;
      samples += frames;
      for (let from = 0; from < frames;) {
        const count = Math.min(frames - from, stepSamples - inStep);
        for (let channel = 0; channel < channels; channel += 1) {
          const start = from * channels + channel;
          energy += weightings[channel]?.energy(pcm, start, channels, count) ?? 0;
          peaks[channel]?.add(pcm, start, channels, count);
        }
        from += count;
        inStep += count;
        if (inStep === stepSamples) {
          stepEnergies.push(channels === 1 ? 2 * energy : energy);
          energy = 0;
          inStep = 0;
        }
      }
    },
    result(): Loudness {
      const peak = Math.max(...peaks.map((meter) => meter.peak()));
      return {
        integratedLufs: gatedLoudness(stepEnergies),
        truePeakDbtp: 20 * Math.log10(peak),
        samples,
      };
    },
  };
}

/**
 * Integrated loudness in LUFS; -Infinity for silence.
 * @param stepEnergies sum over both channels of the squares of K-weighted samples, for every 100 ms.
 */
export function gatedLoudness(stepEnergies: ArrayLike<number>): number {
  const blocks: number[] = [];
  for (let step = 3; step < stepEnergies.length; step += 1) {
    let sum = 0;
    for (let back = 0; back < 4; back += 1) sum += stepEnergies[step - back] ?? 0;
    blocks.push(sum / gatingBlockSamples);
  }
  const audible = blocks.filter((power) => lufs(power) > -70);
  const relative = lufs(mean(audible)) - 10;
  return lufs(mean(audible.filter((power) => lufs(power) > relative)));
}

/**
 * Loudness in LUFS without gating.
 * @param energy sum over both channels of the squares of K-weighted samples.
 * @param samples of one channel.
 */
export const meanLoudness = (energy: number, samples: number): number => lufs(energy / samples);

const lufs = (power: number) => -0.691 + 10 * Math.log10(power);
const mean = (values: readonly number[]) =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
