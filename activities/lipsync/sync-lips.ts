import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SyncLipsInput, SyncLipsResult } from '../../workflows/contract/media-jobs.js';
import type { PictureForm } from '../../workflows/contract/personalized.js';
import { invalidInput, transientFailure } from '../failures.js';
import { withHeartbeat } from '../heartbeat.js';
import { ffmpegArguments, fileName, ownInput, strictUntrustedInput } from '../media/ffmpeg/command.js';
import { probe, runFfmpeg } from '../media/ffmpeg/run.js';
import type { FrameRate } from '../media/personalize/base-commands.js';
import { nearestRate } from '../media/personalize/frame-rates.js';
import {
  aspectFilter,
  colourOptions,
  decodedSize,
  pictureFormOf,
} from '../media/personalize/picture-form.js';
import { withScratch } from '../scratch.js';
import { decodeWav } from '../tts/wav.js';
import type { RawClip } from './lip-sync.js';
import { providerOf, type LipsyncDeps } from './move-mouth.js';

const version = 2;
const timeoutMs = 3600 * 1000;
/** Decoded pictures lie on disk: at 1080p and 30 a second this is some 28 GB. */
const longestSeconds = 300;
const speechRate = 48_000;

/**
 * A whole video whose speaker says other sound: as long as the sound, or as the video if that is shorter.
 * @throws ApplicationFailure `lip_sync_no_face`, `lip_sync_too_long`, `lip_sync_needs_both`, and as the provider
 */
export function createSyncLips(deps: LipsyncDeps) {
  return async function syncLips(input: SyncLipsInput): Promise<SyncLipsResult> {
    return withHeartbeat('lip_sync', 0, async (pulse) => {
      const { signal, report } = pulse;
      const { video, audio, pads } = input;
      const provider = providerOf(deps, input.provider);
      const inputs = { video, audio, pads, provider: provider.name, providerVersion: provider.version };
      const { value, cached } = await deps.cache.through<Omit<SyncLipsResult, 'cached'>>(
        { activity: 'syncLips', version, inputs },
        () =>
          withScratch(deps.scratchDir, async (dir) => {
            const [source, sound] = await Promise.all([
              deps.artifacts.fetch(video),
              deps.artifacts.fetch(audio),
            ]);
            const { clip, pcm, form } = await decode(deps, { source, sound, dir, signal });
            const request = {
              ...{ id: `${input.jobId}:lip_sync:0`, clip, pcm, pads, scratchDir: dir },
              ...{ speech: { phonemes: [], words: [], language: 'und' }, outPath: join(dir, 'moved.raw') },
            };
            const order = { resumeFrom: pulse.order, keepReference: pulse.keepOrder };
            const moved = await provider.moveMouth(request, {
              ...{ signal, ...order },
              report: (fraction) => {
                report(0.1 + 0.7 * fraction);
              },
            });
            const target = join(dir, 'video.mp4');
            await runFfmpeg(deps.tools, {
              args: encodeArguments(moved.clip, form, sound, target),
              timeoutMs,
              signal,
            });
            const made = await probe(deps.tools, target, { signal });
            const picture = made.streams.find(({ kind }) => kind === 'video');
            if (picture?.packets !== clip.frames) {
              const detail = 'The lip-synced video was not published: it is not whole.';
              throw transientFailure({ code: 'lip_sync_broken', detail });
            }
            const { size } = await stat(target);
            signal.throwIfAborted();
            const id = await deps.artifacts.publishFile(target, 'mp4');
            const { width, height } = clip;
            const durationSeconds = made.durationSeconds ?? 0;
            return { value: { video: id, durationSeconds, width, height, bytes: size }, artifacts: [id] };
          }),
        signal,
      );
      return { ...value, cached };
    });
  };
}

async function decode(
  deps: LipsyncDeps,
  { source, sound, dir, signal }: { source: string; sound: string; dir: string; signal: AbortSignal },
): Promise<{ clip: RawClip; pcm: Int16Array; form: PictureForm }> {
  const [pictures, speech] = await Promise.all([
    probe(deps.tools, source, { signal }),
    probe(deps.tools, sound, { signal }),
  ]);
  const picture = pictures.streams.find(({ kind }) => kind === 'video');
  const hasSound = speech.streams.some(({ kind }) => kind === 'audio');
  if (picture === undefined || !hasSound) {
    const detail = 'Lip-sync needs a video with a picture and a file with sound.';
    throw invalidInput({ code: 'lip_sync_needs_both', detail });
  }
  const seconds = Math.min(pictures.durationSeconds ?? 0, speech.durationSeconds ?? 0);
  if (seconds > longestSeconds) {
    const detail = `Lip-sync takes at most ${longestSeconds} s; this would be ${Math.ceil(seconds)} s.`;
    throw invalidInput({ code: 'lip_sync_too_long', detail });
  }
  const frameRate = nearestRate(picture.averageFrameRate ?? 30);
  const size = decodedSize(picture);
  const [width, height] = [even(size.width), even(size.height)];
  const path = join(dir, 'pictures.raw');
  const wav = join(dir, 'speech.wav');
  await runFfmpeg(deps.tools, {
    args: decodeArguments({ source, path, width, height, frameRate, seconds }),
    timeoutMs,
    signal,
  });
  await runFfmpeg(deps.tools, { args: speechArguments(sound, wav, seconds), timeoutMs, signal });
  const frames = Math.round((await stat(path)).size / ((width * height * 3) / 2));
  const clip = { path, width, height, frames, frameRate };
  // What is decoded has the usual range whatever it was.
  const form = { ...pictureFormOf(picture), range: 'tv' };
  return { clip, pcm: decodeWav(await readFile(wav)), form };
}

const even = (size: number): number => size - (size % 2);

function decodeArguments(options: {
  source: string;
  path: string;
  width: number;
  height: number;
  frameRate: FrameRate;
  seconds: number;
}): string[] {
  const { source, path, width, height, frameRate, seconds } = options;
  return ffmpegArguments({
    inputs: [{ source: fileName(source), options: strictUntrustedInput }],
    outputs: [
      {
        target: fileName(path),
        options: [
          ...[
            '-map',
            '0:v:0',
            '-t',
            seconds.toFixed(3),
            '-vf',
            `crop=${width}:${height}:0:0,scale=out_range=tv`,
          ],
          ...['-fps_mode', 'cfr', '-r', `${frameRate.numerator}/${frameRate.denominator}`],
          ...['-pix_fmt', 'yuv420p', '-f', 'rawvideo'],
        ],
      },
    ],
  });
}

function speechArguments(source: string, target: string, seconds: number): string[] {
  return ffmpegArguments({
    inputs: [{ source: fileName(source), options: strictUntrustedInput }],
    outputs: [
      {
        target: fileName(target),
        options: [
          ...['-map', '0:a:0', '-t', seconds.toFixed(3), '-ar', String(speechRate), '-ac', '1'],
          ...['-c:a', 'pcm_s16le', '-map_metadata', '-1', '-fflags', '+bitexact', '-f', 'wav'],
        ],
      },
    ],
  });
}

function encodeArguments(clip: RawClip, form: PictureForm, sound: string, target: string): string[] {
  const { width, height, frameRate, path } = clip;
  const rate = `${frameRate.numerator}/${frameRate.denominator}`;
  return ffmpegArguments({
    inputs: [
      {
        source: fileName(path),
        options: [
          ...[...ownInput, '-f', 'rawvideo', '-pixel_format', 'yuv420p'],
          ...['-video_size', `${width}x${height}`, '-framerate', rate, ...colourOptions(form)],
        ],
      },
      { source: fileName(sound), options: strictUntrustedInput },
    ],
    outputs: [
      {
        target: fileName(target),
        options: [
          ...[
            '-map',
            '0:v:0',
            '-map',
            '1:a:0',
            '-t',
            ((clip.frames * frameRate.denominator) / frameRate.numerator).toFixed(3),
          ],
          ...[
            '-c:v',
            'libx264',
            '-preset',
            'veryfast',
            '-crf',
            '18',
            '-pix_fmt',
            'yuv420p',
            '-profile:v',
            'high',
          ],
          ...aspectFilter(form).flatMap((filter) => ['-vf', filter]),
          ...colourOptions(form),
          ...['-c:a', 'aac', '-b:a', '192k', '-ar', '48000', '-map_metadata', '-1', '-fflags', '+bitexact'],
          ...['-movflags', '+faststart', '-f', 'mp4'],
        ],
      },
    ],
  });
}
