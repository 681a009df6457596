import { join } from 'node:path';
import { transientFailure } from '../../failures.js';
import { ffmpegArguments, fileName, ownInput } from '../ffmpeg/command.js';
import { probe, runFfmpeg, type FfmpegTools } from '../ffmpeg/run.js';
import { measureLoudness, type Loudness } from './loudness.js';

export interface MasterInput {
  /** Raw stereo 32-bit floats at 48 kHz. */
  source: string;
  dir: string;
  samples: number;
  loudnessLufs: number;
  truePeakDbtp: number;
  signal: AbortSignal;
}

/** The encoded track may miss its loudness by this much before it is made again. */
const toleranceLu = 0.4;
const mostPasses = 4;

/**
 * Brings a mix to its loudness, keeps its peaks below the ceiling and encodes it. What was encoded is decoded
 * and measured, because limiter and encoder both move loudness and peaks a little; if it is off, gain and
 * ceiling are moved by just that and it is made again.
 * @returns path of an .m4a as long as the source to the sample.
 * @throws ApplicationFailure `audio_mastering_failed` when no pass comes out right.
 */
export async function master(tools: FfmpegTools, input: MasterInput): Promise<string> {
  const mix = await measureLoudness(input.source, 2, { samplePeak: true });
  const isSilent = !Number.isFinite(mix.integratedLufs);
  let gainDb = isSilent ? 0 : input.loudnessLufs - mix.integratedLufs;
  let ceilingDb = input.truePeakDbtp - 0.8;
  for (let pass = 1; pass <= mostPasses; pass += 1) {
    const target = join(input.dir, `master-${pass}.m4a`);
    await encode(tools, input, { target, gainDb, ceilingDb, limits: mix.truePeakDbtp + gainDb > ceilingDb });
    const result = await measureEncoded(tools, target, input);
    const off = isSilent ? 0 : input.loudnessLufs - result.integratedLufs;
    const over = result.truePeakDbtp - input.truePeakDbtp;
    if (Math.abs(off) <= toleranceLu && over <= 0) {
      await checkLength(tools, target, input);
      return target;
    }
    if (over > 0) ceilingDb -= over + 0.15;
    // Each decibel of gain into the limiter yields less than one of loudness.
    if (Math.abs(off) > toleranceLu) gainDb += off * (off > 0 ? 1.3 : 1);
  }
  throw transientFailure({
    code: 'audio_mastering_failed',
    detail: 'The sound could not be brought to its loudness.',
  });
}

async function encode(
  tools: FfmpegTools,
  input: MasterInput,
  pass: { target: string; gainDb: number; ceilingDb: number; limits: boolean },
): Promise<void> {
  const limiter = `,alimiter=limit=${10 ** (pass.ceilingDb / 20)}:level=0:attack=4:release=60:latency=1`;
  await runFfmpeg(tools, {
    args: ffmpegArguments({
      inputs: [{ source: fileName(input.source), options: [...ownInput, ...rawStereo] }],
      filterGraph: `volume=${pass.gainDb}dB${pass.limits ? limiter : ''}`,
      outputs: [
        {
          target: fileName(pass.target),
          options: [
            '-c:a',
            'aac',
            '-profile:a',
            'aac_low',
            '-aac_coder',
            'fast',
            '-b:a',
            '160k',
            '-movie_timescale',
            '48000',
            '-f',
            'mp4',
          ],
        },
      ],
    }),
    timeoutMs: 120_000 + input.samples / 48,
    signal: input.signal,
  });
}

const rawStereo = ['-f', 'f32le', '-ar', '48000', '-ac', '2'];

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
  return measureLoudness(decoded, 2);
}

async function checkLength(tools: FfmpegTools, path: string, input: MasterInput): Promise<void> {
  const { streams } = await probe(tools, path, { signal: input.signal });
  const seconds = streams[0]?.durationSeconds ?? 0;
  if (streams.length !== 1 || streams[0]?.codec !== 'aac' || Math.abs(seconds * 48_000 - input.samples) > 1) {
    throw transientFailure({
      code: 'audio_mastering_failed',
      detail: 'The encoded sound does not have the length of the video.',
    });
  }
}
