import { ffmpegArguments, fileName, ownInput } from './command.js';

/**
 * A list for ffmpeg's concat demuxer. Each file's length is given, so that its own rounding never adds up.
 * Source of the quoting: "Quoting and escaping" in ffmpeg-utils(1).
 */
export function segmentList(segments: readonly { path: string; seconds: number }[]): string {
  const entries = segments.flatMap(({ path, seconds }) => [
    `file '${fileName(path).replaceAll("'", "'\\''")}'`,
    `duration ${seconds.toFixed(6)}`,
  ]);
  return ['ffconcat version 1.0', ...entries, ''].join('\n');
}

/** Segments of a list and a track of sound, copied as they are into an MP4 with its index in front. */
export function joinArguments(files: { list: string; sound: string; target: string; fps: number }): string[] {
  return ffmpegArguments({
    inputs: [
      { source: fileName(files.list), options: [...ownInput, '-f', 'concat', '-safe', '0'] },
      { source: fileName(files.sound), options: [...ownInput] },
    ],
    outputs: [
      {
        target: fileName(files.target),
        options: [
          ...['-map', '0:v:0', '-map', '1:a:0', '-c', 'copy', '-map_metadata', '-1', '-fflags', '+bitexact'],
          ...['-video_track_timescale', String(files.fps * 512), '-movflags', '+faststart', '-f', 'mp4'],
        ],
      },
    ],
  });
}
