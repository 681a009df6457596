import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type {
  ConversionOptions,
  ConvertVideoInput,
  ConvertVideoResult,
} from '../../workflows/contract/media-jobs.js';
import { invalidInput, transientFailure } from '../failures.js';
import { withHeartbeat } from '../heartbeat.js';
import { withScratch } from '../scratch.js';
import { ffmpegArguments, fileName, strictUntrustedInput } from './ffmpeg/command.js';
import { probe, runFfmpeg } from './ffmpeg/run.js';
import type { PersonalizeDeps } from './personalize/open-base.js';

const version = 1;
const timeoutMs = 6 * 3600 * 1000;
/** Of sound and picture of a converted file, measured against the source. */
const toleranceSeconds = 0.5;

/**
 * A user's video as MP4 with H.264 and AAC, index in front.
 * @throws ApplicationFailure `source_without_picture`, `conversion_broken`, and as `runFfmpeg`
 */
export function createConvertVideo(deps: PersonalizeDeps) {
  return async function convertVideo({ source, options }: ConvertVideoInput): Promise<ConvertVideoResult> {
    return withHeartbeat('conversion', 0, async ({ signal, report }) => {
      const { value, cached } = await deps.cache.through<Omit<ConvertVideoResult, 'cached'>>(
        { activity: 'convertVideo', version, inputs: { source, options } },
        () =>
          withScratch(deps.scratchDir, async (dir) => {
            const path = await deps.artifacts.fetch(source);
            const given = await probe(deps.tools, path, { signal });
            if (!given.streams.some(({ kind }) => kind === 'video')) {
              throw invalidInput({
                code: 'source_without_picture',
                detail: 'The file has no picture to convert.',
              });
            }
            const target = join(dir, 'video.mp4');
            const seconds = given.durationSeconds ?? 1;
            await runFfmpeg(deps.tools, {
              args: conversionArguments(path, target, options),
              timeoutMs,
              signal,
              onProgress: (progress) => {
                report(Math.min(0.95, progress.seconds / seconds));
              },
            });
            const made = await probe(deps.tools, target, { signal });
            const picture = made.streams.find(({ kind }) => kind === 'video');
            const durationSeconds = made.durationSeconds ?? 0;
            if (picture?.codec !== 'h264' || Math.abs(durationSeconds - seconds) > toleranceSeconds) {
              const detail = 'The converted video was not published: it is not whole.';
              throw transientFailure({ code: 'conversion_broken', detail });
            }
            const { size } = await stat(target);
            signal.throwIfAborted();
            const video = await deps.artifacts.publishFile(target, 'mp4');
            const { width, height } = picture;
            return {
              value: { video, durationSeconds, width: width ?? 0, height: height ?? 0, bytes: size },
              artifacts: [video],
            };
          }),
        signal,
      );
      return { ...value, cached };
    });
  };
}

/** Even sizes, because 4:2:0 has no half pixels. */
function conversionArguments(source: string, target: string, options: ConversionOptions): string[] {
  return ffmpegArguments({
    inputs: [{ source: fileName(source), options: strictUntrustedInput }],
    outputs: [
      {
        target: fileName(target),
        options: [
          ...['-map', '0:v:0', '-map', '0:a:0?', '-sn', '-dn', '-map_metadata', '-1', '-map_chapters', '-1'],
          ...['-vf', 'scale=trunc(iw/2)*2:trunc(ih/2)*2', '-c:v', 'libx264', '-preset', options.preset],
          ...['-crf', String(options.crf), '-pix_fmt', 'yuv420p', '-profile:v', 'high'],
          ...['-c:a', 'aac', '-b:a', String(options.audioBitRate), '-ar', '48000', '-ac', '2'],
          ...['-fflags', '+bitexact', '-movflags', '+faststart', '-f', options.container],
        ],
      },
    ],
  });
}
