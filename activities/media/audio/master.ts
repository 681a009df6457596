import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { transientFailure } from '../../failures.js';
import { ffmpegArguments, fileName, ownInput } from '../ffmpeg/command.js';
import { runFfmpeg, type FfmpegTools } from '../ffmpeg/run.js';
import { applyGains } from './gains.js';
import { limiterGains, limiterStep } from './limiter.js';
import { measureLoudness, type Loudness } from './loudness.js';
import { loudnessWith, type MixLevels } from './mix-levels.js';
import { blockSamples, bytesOf, openFloats } from './pcm-file.js';

export interface MasterInput {
  /** Raw stereo 32-bit floats at 48 kHz. */
  source: string;
  levels: MixLevels;
  dir: string;
  samples: number;
  loudnessLufs: number;
  truePeakDbtp: number;
  signal: AbortSignal;
}

/** The encoded track may miss its loudness by this much before it is made again. */
const toleranceLu = 0.4;
const mostPasses = 4;
/** What lies between two samples, and what the encoder adds to a peak. */
const headroomDb = 0.9;

/**
 * Brings a mix to its loudness, keeps its peaks below the ceiling and encodes it. What was encoded is decoded
 * and measured, because the encoder moves loudness and peaks a little; if it is off, gain and ceiling are moved
 * by just that and it is made again.
 * @returns path of an .m4a as long as the source to the sample.
 * @throws ApplicationFailure `audio_mastering_failed` when no pass comes out right.
 */
export async function master(tools: FfmpegTools, input: MasterInput): Promise<string> {
  let wantedLufs = input.loudnessLufs;
  let ceilingDb = input.truePeakDbtp - headroomDb;
  for (let pass = 1; pass <= mostPasses; pass += 1) {
    const target = join(input.dir, `master-${pass}.m4a`);
    await encode(tools, input, target, gainsFor(input.levels, wantedLufs, ceilingDb));
    const result = await measureEncoded(tools, target, input);
    const isSilent = !Number.isFinite(result.integratedLufs);
    const off = isSilent ? 0 : input.loudnessLufs - result.integratedLufs;
    const over = result.truePeakDbtp - input.truePeakDbtp;
    if (Math.abs(off) <= toleranceLu && over <= 0) return target;
    if (over > 0) ceilingDb -= over + 0.15;
    if (Math.abs(off) > toleranceLu) wantedLufs += off;
  }
  throw transientFailure({
    code: 'audio_mastering_failed',
    detail: 'The sound could not be brought to its loudness.',
  });
}

/** Gains that bring a mix to a loudness below a ceiling; each decibel into the limiter yields less than one. */
function gainsFor(levels: MixLevels, wantedLufs: number, ceilingDb: number): Float32Array {
  let gainDb = 0;
  let gains = limiterGains(levels.peaks, 1, factor(ceilingDb));
  for (let turn = 0; turn < 12; turn += 1) {
    const missing = wantedLufs - loudnessWith(levels, gains);
    if (!Number.isFinite(missing) || Math.abs(missing) < 0.02) break;
    gainDb += missing * (missing > 0 ? 1.2 : 1);
    gains = limiterGains(levels.peaks, factor(gainDb), factor(ceilingDb));
  }
  return gains;
}

const factor = (decibels: number) => 10 ** (decibels / 20);

async function encode(tools: FfmpegTools, input: MasterInput, target: string, gains: Float32Array) {
  await runFfmpeg(tools, {
    args: ffmpegArguments({
      inputs: [{ source: 'pipe:0', options: [...ownInput, ...rawStereo] }],
      outputs: [
        {
          target: fileName(target),
          options: [
            ...['-c:a', 'aac', '-profile:a', 'aac_low', '-b:a', '160k'],
            // Intensity stereo costs a voice over music seven decibels of fidelity and saves nothing here.
            ...['-aac_coder', 'fast', '-aac_is', '0'],
            // The length is kept to the sample.
            ...['-movie_timescale', '48000', '-f', 'mp4'],
          ],
        },
      ],
    }),
    timeoutMs: 120_000 + input.samples / 48,
    signal: input.signal,
    writeInput: (stdin) => feedLimited(input, gains, stdin),
  });
}

async function feedLimited({ source, samples, signal }: MasterInput, gains: Float32Array, stdin: Writable) {
  const mix = await openFloats(source);
  const stereo = new Float32Array(2 * blockSamples);
  try {
    for (let start = 0; start < samples; start += blockSamples) {
      signal.throwIfAborted();
      const block = stereo.subarray(0, 2 * Math.min(blockSamples, samples - start));
      await mix.read(2 * start, block);
      applyGains(block, gains, start, limiterStep);
      await write(stdin, block);
    }
  } finally {
    await mix.close();
  }
}

/** Resolves when the encoder has taken it; an encoder that has ended says why by itself. */
function write(stdin: Writable, pcm: Float32Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stdin.write(bytesOf(pcm), (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/** Samples of an AAC packet. */
const packetSamples = 1024;
const rawStereo = ['-f', 'f32le', '-ar', '48000', '-ac', '2'];

/** Decodes and measures the encoded track. @throws ApplicationFailure unless it has just the mix's length. */
async function measureEncoded(tools: FfmpegTools, path: string, input: MasterInput): Promise<Loudness> {
  const decoded = join(input.dir, 'decoded.f32');
  await runFfmpeg(tools, {
    args: ffmpegArguments({
      inputs: [{ source: fileName(path), options: ownInput.slice() }],
      outputs: [{ target: fileName(decoded), options: rawStereo }],
    }),
    timeoutMs: 120_000 + input.samples / 48,
    signal: input.signal,
  });
  const measured = await measureLoudness(decoded, 2);
  // The last packet is always whole; that it is not played to its end stands in the file.
  const surplus = measured.samples - input.samples;
  if (surplus < 0 || surplus >= packetSamples) {
    throw transientFailure({
      code: 'audio_mastering_failed',
      detail: 'The encoded sound does not have the length of the video.',
    });
  }
  return measured;
}
