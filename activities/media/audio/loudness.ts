import { createReadStream } from 'node:fs';
import { createKWeighting } from './k-weighting.js';
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
const stepSamples = 4_800;

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
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = bytes.length - (bytes.length % (4 * channels));
    meter.add(floatsOf(bytes.subarray(0, whole)));
    rest = bytes.subarray(whole);
  }
  return meter.result();
}

function floatsOf(bytes: Buffer): Float32Array {
  if (bytes.byteOffset % 4 === 0) return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  return new Float32Array(new Uint8Array(bytes).buffer);
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
        integratedLufs: integrated(stepEnergies),
        truePeakDbtp: 20 * Math.log10(peak),
        samples,
      };
    },
  };
}

function integrated(stepEnergies: readonly number[]): number {
  const blocks: number[] = [];
  for (let step = 3; step < stepEnergies.length; step += 1) {
    let sum = 0;
    for (let back = 0; back < 4; back += 1) sum += stepEnergies[step - back] ?? 0;
    blocks.push(sum / (4 * stepSamples));
  }
  const audible = blocks.filter((power) => lufs(power) > -70);
  const relative = lufs(mean(audible)) - 10;
  return lufs(mean(audible.filter((power) => lufs(power) > relative)));
}

const lufs = (power: number) => -0.691 + 10 * Math.log10(power);
const mean = (values: readonly number[]) =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
