import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactId, BuiltinMusic } from '../../../workflows/contract.js';
import type { ArtifactStore } from '../../artifacts.js';
import type { GenerationCache } from '../../cached.js';
import { invalidInput } from '../../failures.js';
import { withScratch } from '../../scratch.js';
import type { AudioPlan } from '../composition.js';
import { ffmpegArguments, fileName, ownInput, strictUntrustedInput } from '../ffmpeg/command.js';
import { ProgramError } from '../ffmpeg/program.js';
import { probe, runFfmpeg, type FfmpegTools } from '../ffmpeg/run.js';
import { measureLoudness } from './loudness.js';
import { bedRate, musicBed } from './music-beds.js';

export interface MusicDeps {
  artifacts: Pick<ArtifactStore, 'fetch' | 'publishFile'>;
  cache: GenerationCache;
  scratchDir: string;
  tools: FfmpegTools;
}

/** Music ready to be looped: stereo 48 kHz FLAC. */
export interface PreparedMusic {
  artifact: ArtifactId;
  loudnessLufs: number;
  samples: number;
}

type MusicSource = { builtin: BuiltinMusic } | { artifact: ArtifactId };

const version = 1;

/** Longer music is cut here; a video that is longer still hears it from the start again. */
const longestSeconds = 600;

/**
 * A built-in bed, or a user's file decoded under the rules for untrusted input; made once and kept.
 * @throws ApplicationFailure `unsupported_media` when the user's file has no sound that can be read.
 */
export async function prepareMusic(
  deps: MusicDeps,
  music: NonNullable<AudioPlan['music']>,
  signal?: AbortSignal,
): Promise<PreparedMusic> {
  const source: MusicSource = 'builtin' in music ? { builtin: music.builtin } : { artifact: music.artifact };
  const { value } = await deps.cache.through<PreparedMusic>(
    { activity: 'prepare_music', version, inputs: source },
    () =>
      withScratch(deps.scratchDir, async (dir) => {
        const pcm = join(dir, 'music.f32');
        if ('builtin' in source) await drawBed(deps.tools, source.builtin, pcm, signal);
        else await decodeUpload(deps, source.artifact, pcm, signal);
        const value = await publishLoop(deps, pcm, dir, 'artifact' in source, signal);
        return { value, artifacts: [value.artifact] };
      }),
  );
  return value;
}

const rawStereo = ['-f', 'f32le', '-ar', '48000', '-ac', '2'];

async function drawBed(tools: FfmpegTools, name: BuiltinMusic, target: string, signal?: AbortSignal) {
  const { loopSeconds, expressions, filters } = musicBed(name);
  const loop = Math.round(loopSeconds * bedRate);
  const start = Math.round(loopSeconds * 48_000);
  const synthesis = `aevalsrc=exprs='${expressions.join('|')}':s=${bedRate}:d=${loopSeconds}:c=stereo`;
  // What the filters let ring over the end of a loop is then heard at its start: the second of three is whole.
  const graph =
    `aloop=loop=2:size=${loop},${filters},aresample=48000,` +
    `atrim=start_sample=${start}:end_sample=${2 * start},asetpts=N/SR/TB`;
  await runFfmpeg(tools, {
    args: ffmpegArguments({
      inputs: [{ source: synthesis, options: ['-f', 'lavfi'] }],
      filterGraph: graph,
      outputs: [{ target: fileName(target), options: rawStereo }],
    }),
    timeoutMs: 120_000,
    ...(signal === undefined ? {} : { signal }),
  });
}

async function decodeUpload(deps: MusicDeps, artifact: ArtifactId, target: string, signal?: AbortSignal) {
  const path = await deps.artifacts.fetch(artifact);
  const bounds = signal === undefined ? {} : { signal };
  try {
    const { streams } = await probe(deps.tools, path, bounds);
    if (!streams.some((stream) => stream.kind === 'audio')) throw unsupported();
    await runFfmpeg(deps.tools, {
      args: ffmpegArguments({
        inputs: [{ source: fileName(path), options: [...strictUntrustedInput, '-vn'] }],
        outputs: [
          {
            target: fileName(target),
            options: ['-map', '0:a:0', '-t', String(longestSeconds), ...rawStereo],
          },
        ],
      }),
      timeoutMs: 180_000,
      ...bounds,
    });
  } catch (error) {
    throw isRefused(error) ? unsupported(error) : error;
  }
  if ((await stat(target)).size < 8 * 4_800) throw unsupported();
}

/** Ended by itself with an error about the file, rather than killed, timed out or without room. */
function isRefused(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof ProgramError && cause.exitCode !== null && !/no space left/i.test(cause.stderrTail);
}

function unsupported(cause?: unknown) {
  return invalidInput({
    code: 'unsupported_media',
    detail: 'The music file has no sound that can be read.',
    cause,
  });
}

/** A user's music is faded at both ends, so that it can be repeated without a click. */
async function publishLoop(
  deps: MusicDeps,
  pcm: string,
  dir: string,
  fadeEnds: boolean,
  signal?: AbortSignal,
): Promise<PreparedMusic> {
  const { integratedLufs, samples } = await measureLoudness(pcm, 2, { samplePeak: true });
  const fade = Math.min(72_000, Math.floor(samples / 4));
  const target = join(dir, 'music.flac');
  await runFfmpeg(deps.tools, {
    args: ffmpegArguments({
      inputs: [{ source: fileName(pcm), options: [...ownInput, ...rawStereo] }],
      ...(fadeEnds && {
        filterGraph: `afade=t=in:ns=${Math.min(2_400, fade)},afade=t=out:ss=${samples - fade}:ns=${fade}`,
      }),
      outputs: [
        {
          target: fileName(target),
          options: ['-c:a', 'flac', '-sample_fmt', 's16', '-compression_level', '4'],
        },
      ],
    }),
    timeoutMs: 120_000,
    ...(signal === undefined ? {} : { signal }),
  });
  const artifact = await deps.artifacts.publishFile(target, 'flac');
  return { artifact, loudnessLufs: Number.isFinite(integratedLufs) ? integratedLufs : -70, samples };
}
