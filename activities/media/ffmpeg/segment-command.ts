import { ffmpegArguments, fileName, ownInput } from './command.js';

/** Raised when the same frames come out as other bytes, so that cached segments never mix two settings. */
export const segmentVersion = 5;

/**
 * x264 on one thread, because segments run side by side. Every segment has the same parameter sets, starts
 * with an IDR picture and refers to nothing outside it, so that segments join without encoding again.
 * Measured on slides with motion by test/bench/media.ts: the SSIM of `veryfast` at crf 23 in about the
 * same bytes, at half of its CPU. What is static is skipped whole once mbtree has given its first picture the
 * bits, for which it has to see just past the next P-frame; each frame more is work, and memory to clear at every
 * start. Seven B-frames in a row fit a slow motion, and cost no search for how many; their temporal prediction is
 * the cheapest. Chroma, which slides have little of, gets a finer quantizer. A segment is one shot: no scene cuts
 * are sought.
 */
const x264 = [
  ...['-preset', 'ultrafast', '-profile:v', 'high', '-threads', '1', '-x264-params'],
  [
    'mbtree=1:rc-lookahead=9:bframes=7:b-adapt=0:direct=temporal:no-psy=1:chroma-qp-offset=-3:cabac=1',
    '8x8dct=1:deblock=0,0:keyint=250:scenecut=0:open-gop=0:stitchable=1:chromaloc=1:force-cfr=1',
  ].join(':'),
];

const colour = [
  '-color_range',
  'tv',
  '-colorspace',
  'bt709',
  '-color_trc',
  'bt709',
  '-color_primaries',
  'bt709',
];

/**
 * Environment of an encoder that is fed raw frames. glibc would give each frame fresh pages from the system and
 * give them back, which costs as much as reading it. Source: glibc's manual, "Memory Allocation Tunables".
 */
export const rawFrameEnvironment: Record<string, string> = {
  GLIBC_TUNABLES: [
    'glibc.malloc.mmap_threshold=33554432',
    'glibc.malloc.trim_threshold=268435456',
    'glibc.malloc.top_pad=33554432',
  ].join(':'),
};

interface FrameFormat {
  width: number;
  height: number;
  fps: number;
}

const crf = 22.5;
/** A segment that is encoded once more should not be seen to be. */
const secondCrf = 16;

const encoded = (quality: number) => [
  ...['-c:v', 'libx264', '-crf', String(quality), ...x264, '-pix_fmt', 'yuv420p', ...colour],
];

const timeScale = ({ fps }: FrameFormat) => ['-video_track_timescale', String(fps * 512)];
const plainFile = ['-map_metadata', '-1', '-fflags', '+bitexact'];

/** Raw planar 4:2:0 frames on `pipe:0` → an H.264 segment in MP4 at `target`. */
export function segmentArguments(size: FrameFormat, target: string): string[] {
  const options = [
    ...encoded(crf),
    '-fps_mode',
    'passthrough',
    ...timeScale(size),
    ...plainFile,
    '-f',
    'mp4',
  ];
  return ffmpegArguments({ inputs: [rawInput(size)], outputs: [{ target: fileName(target), options }] });
}

/**
 * The same for several segments that follow upon one another, in one run, which spares the start of an encoder for
 * each: `folder` gets `0.mp4`, `1.mp4` and so on, with the given numbers of frames, each as if it had been encoded
 * by itself.
 */
export function segmentsArguments(size: FrameFormat, frames: readonly number[], folder: string): string[] {
  let end = 0;
  const borders = frames.slice(0, -1).map((count) => (end += count));
  const options = [
    ...[...encoded(crf), '-fps_mode', 'passthrough', ...plainFile],
    ...['-force_key_frames', `expr:${borders.map((border) => `eq(n,${border})`).join('+')}`],
    // Times begin with zero in each file, and stay where B-frames put them.
    ...['-f', 'segment', '-segment_frames', borders.join(','), '-reset_timestamps', '1'],
    ...['-avoid_negative_ts', 'disabled', '-segment_format', 'mp4'],
    ...['-segment_format_options', `video_track_timescale=${size.fps * 512}:fflags=+bitexact`],
  ];
  const target = fileName(`${folder.replaceAll('%', '%%')}/%d.mp4`);
  return ffmpegArguments({ inputs: [rawInput(size)], outputs: [{ target, options }] });
}

const rawInput = (size: FrameFormat) => ({
  source: 'pipe:0',
  options: [
    ...['-f', 'rawvideo', '-pixel_format', 'yuv420p', '-video_size', `${size.width}x${size.height}`],
    ...['-framerate', String(size.fps), ...colour],
  ],
});

/** A segment of another encoder → the same pictures from this one. */
export function reencodeArguments(size: FrameFormat, source: string, target: string): string[] {
  const options = [...encoded(secondCrf), '-fps_mode', 'passthrough', ...timeScale(size), ...plainFile];
  return ffmpegArguments({
    inputs: [{ source: fileName(source), options: ownInput }],
    outputs: [{ target: fileName(target), options: [...options, '-f', 'mp4'] }],
  });
}

/**
 * A few tiny pictures → H.264 on `pipe:1`. The bytes depend on the encoder and its settings alone, and x264
 * writes its own version among them.
 */
export function encoderSampleArguments(): string[] {
  return ffmpegArguments({
    inputs: [{ source: 'color=c=gray:s=64x64:r=30:d=0.1', options: ['-f', 'lavfi'] }],
    outputs: [{ target: 'pipe:1', options: [...encoded(crf), '-f', 'h264'] }],
  });
}
