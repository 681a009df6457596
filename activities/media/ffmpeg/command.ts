import ffmpeg from 'fluent-ffmpeg';

export interface CommandInput {
  /** A `file:` name or `pipe:0`. */
  source: string;
  /** Options that belong to this input, one token each. */
  options?: readonly string[];
}

export interface CommandOutput {
  /** A `file:` name or `pipe:1`. */
  target: string;
  options: readonly string[];
}

export interface FfmpegCommand {
  inputs: readonly CommandInput[];
  /** A filter graph; user text never stands in it. */
  filterGraph?: string;
  outputs: readonly CommandOutput[];
}

/**
 * Argument tokens of one ffmpeg run, in the order that ffmpeg wants. Pure: nothing is started or looked up.
 * The only file that knows fluent-ffmpeg, of which it uses just the token builder; a process of our own runs
 * the tokens, because the package has no process groups and does not bound a run.
 *
 * @throws Error when there is no input or no output.
 */
export function ffmpegArguments({ inputs, filterGraph, outputs }: FfmpegCommand): string[] {
  if (inputs.length === 0 || outputs.length === 0)
    throw new Error('an ffmpeg command needs inputs and outputs');
  const command = ffmpeg();
  for (const { source, options = [] } of inputs) {
    command.input(source);
    if (options.length > 0) command.inputOptions(...unsplit(options));
  }
  if (filterGraph !== undefined) command.complexFilter(filterGraph);
  for (const { target, options } of outputs) {
    command.output(target);
    if (options.length > 0) command.outputOptions(...unsplit(options));
  }
  return command._getArguments();
}

/** A single option with one space in it would be split by the package; several are kept as they are. */
function unsplit(options: readonly string[]): string[] {
  const [only] = options;
  if (options.length === 1 && only?.includes(' ') === true) throw new Error('one token, one option');
  return [...options];
}

/** Name by which ffmpeg opens a path as a plain file, whatever characters it has. */
export const fileName = (path: string): string => `file:${path}`;

/**
 * Input options for a file of ours: nothing but plain files may be opened through it.
 */
export const ownInput: readonly string[] = ['-protocol_whitelist', 'file,pipe'];

/**
 * Input options for a file that a user may have supplied: containers and codecs that need no other file and no
 * surprising memory, a bound on the picture size, and damage is an error.
 */
export const untrustedInput: readonly string[] = [
  '-protocol_whitelist',
  'file',
  '-format_whitelist',
  'mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,wav,w64,aiff,mp3,aac,ogg,flac',
  '-codec_whitelist',
  [
    'h264,hevc,vp8,vp9,av1,libdav1d,mpeg4,mjpeg,png',
    'aac,mp3,mp3float,vorbis,libvorbis,opus,libopus,flac,alac',
    'pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f64le,pcm_u8',
  ].join(','),
  '-max_pixels',
  String(8192 * 8192),
  '-max_streams',
  '16',
];

/** Untrusted input that must also be whole: a truncated file otherwise ends quietly with exit code 0. */
export const strictUntrustedInput: readonly string[] = [...untrustedInput, '-err_detect', 'explode'];
