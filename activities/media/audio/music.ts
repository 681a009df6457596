import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactId } from '../../../workflows/contract/documents.js';
import type { BuiltinMusic } from '../../../workflows/contract/options.js';
import type { ArtifactStore } from '../../artifacts.js';
import type { GenerationCache } from '../../cached.js';
import { invalidInput } from '../../failures.js';
import { withScratch } from '../../scratch.js';
import type { AudioPlan } from '../composition.js';
import { ffmpegArguments, fileName, ownInput, strictUntrustedInput } from '../ffmpeg/command.js';
import { ProgramError } from '../ffmpeg/program.js';
import { probe, runFfmpeg, type FfmpegTools } from '../ffmpeg/run.js';
import { bedRate, type LoopCanvas } from './bed-instruments.js';
import { drawRoom } from './bed-room.js';
import { createLoudnessMeter } from './loudness.js';
import { drawMusicBed } from './music-beds.js';
import { openLoop } from './music-loop.js';
import { blockSamples, bytesOf } from './pcm-file.js';

export interface MusicDeps {
  artifacts: Pick<ArtifactStore, 'fetch' | 'publishFile'>;
  cache: GenerationCache;
  scratchDir: string;
  tools: FfmpegTools;
}

/** Music ready to be looped: raw 16-bit stereo at 48 kHz, so that a mix can begin to read it anywhere. */
export interface PreparedMusic {
  artifact: ArtifactId;
  loudnessLufs: number;
  samples: number;
  /** How long its end runs into its beginning when it is repeated. */
  crossfadeSamples: number;
}

type MusicSource = { builtin: BuiltinMusic } | { artifact: ArtifactId };

/** Raised when the same music is prepared differently. */
const version = 3;

/** Longer music is cut here; a video that is longer still hears it from the start again. */
const longestSeconds = 600;
/** Two seconds, in samples. */
const longestCrossfade = 96_000;

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
        const path = join(dir, 'music.raw');
        if ('builtin' in source) await drawBed(deps.tools, source.builtin, dir, path, signal);
        else await decodeUpload(deps, source.artifact, path, signal);
        const samples = Math.floor((await stat(path)).size / 4);
        const isLoop = 'builtin' in source;
        const crossfadeSamples = isLoop ? 0 : Math.min(longestCrossfade, Math.floor(samples / 4));
        const loudnessLufs = await loudnessOf(path, samples, signal);
        const artifact = await deps.artifacts.publishFile(path, 'raw');
        return { value: { artifact, loudnessLufs, samples, crossfadeSamples }, artifacts: [artifact] };
      }),
    signal,
  );
  return value;
}

async function loudnessOf(path: string, samples: number, signal?: AbortSignal): Promise<number> {
  const meter = createLoudnessMeter(2, { samplePeak: true });
  const music = await openLoop({ path, samples, crossfadeSamples: 0 });
  try {
    for (let start = 0; start < samples; start += blockSamples) {
      signal?.throwIfAborted();
      const block = new Float32Array(2 * Math.min(blockSamples, samples - start));
      await music.read(start, block);
      meter.add(block);
    }
  } finally {
    await music.close();
  }
  const { integratedLufs } = meter.result();
  return Number.isFinite(integratedLufs) ? integratedLufs : -70;
}

const rawMusic = ['-f', 's16le', '-ar', '48000', '-ac', '2'];

/**
 * Notes are drawn here, ffmpeg puts them into a room, takes their edge off and brings them to the final rate.
 * What the room lets ring past the end of a loop is then heard at its start: the second of three is kept.
 */
async function drawBed(
  tools: FfmpegTools,
  name: BuiltinMusic,
  dir: string,
  target: string,
  signal?: AbortSignal,
): Promise<void> {
  const [notes, room] = [join(dir, 'notes.f32'), join(dir, 'room.f32')];
  const { canvas, filters, hall } = drawMusicBed(name);
  await writeFile(notes, bytesOf(interleaved(canvas)));
  await writeFile(room, bytesOf(drawRoom(hall.seconds, hall.level)));
  const rawNotes = ['-f', 'f32le', '-ar', String(bedRate), '-ac', '2'];
  const loop = canvas.left.length;
  const graph =
    `[0:a]aloop=loop=2:size=${loop}[notes];[notes][1:a]afir=gtype=none,${filters},` +
    // Cut last: a resampler that began with the cut would begin from silence.
    `aresample=48000,atrim=start_sample=${2 * loop}:end_sample=${4 * loop},asetpts=N/SR/TB`;
  await runFfmpeg(tools, {
    args: ffmpegArguments({
      inputs: [notes, room].map((path) => ({ source: fileName(path), options: [...ownInput, ...rawNotes] })),
      filterGraph: graph,
      outputs: [{ target: fileName(target), options: rawMusic }],
    }),
    timeoutMs: 120_000,
    ...(signal === undefined ? {} : { signal }),
  });
}

/** The room and the filters must not drive the notes into clipping, whatever sounds at once. */
const notesPeak = 0.16;

function interleaved({ left, right }: LoopCanvas): Float32Array {
  const both = new Float32Array(2 * left.length);
  let peak = 0;
  for (let n = 0; n < left.length; n += 1) {
    const [l = 0, r = 0] = [left[n], right[n]];
    both[2 * n] = l;
    both[2 * n + 1] = r;
    peak = Math.max(peak, Math.abs(l), Math.abs(r));
  }
  return both.map((sample) => (sample * notesPeak) / peak);
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
            options: ['-map', '0:a:0', '-t', String(longestSeconds), ...rawMusic],
          },
        ],
      }),
      timeoutMs: 180_000,
      ...bounds,
    });
  } catch (error) {
    throw isRefused(error) ? unsupported(error) : error;
  }
  if ((await stat(target)).size < 4 * 4_800) throw unsupported();
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
