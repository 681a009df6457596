import type { PictureForm, PreparedBase } from '../../../workflows/contract/personalized.js';
import { ffmpegArguments, fileName, ownInput, strictUntrustedInput } from '../ffmpeg/command.js';
import { aspectFilter, colourOptions } from './picture-form.js';

export type FrameRate = PreparedBase['frameRate'];

/**
 * x264 for filmed pictures that are to be spliced: closed groups and parameter sets that do not depend on
 * what is encoded, so that a part encoded later takes the place of another.
 */
const x264 = [
  ...['-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'high', '-crf', '18', '-pix_fmt', 'yuv420p'],
  ...['-x264-params', 'stitchable=1:open-gop=0:force-cfr=1', '-forced-idr', '1'],
];

/** Bits a second of sound that is encoded for splicing. */
export const baseAudioBitRate = { mono: 112_000, stereo: 192_000 } as const;

/** The same coder and switches as for what is spliced in later. */
const aac = (channels: 1 | 2) => [
  ...['-c:a', 'aac', '-profile:a', 'aac_low', '-aac_coder', 'fast', '-aac_is', '0', '-aac_pns', '0'],
  ...['-b:a', String(channels === 1 ? baseAudioBitRate.mono : baseAudioBitRate.stereo)],
  ...['-ar', '48000', '-ac', String(channels)],
];

/** Nothing of the file but its media: no titles, chapters, places or other streams. */
const plain = [
  ...['-map_metadata', '-1', '-map_chapters', '-1', '-sn', '-dn', '-fflags', '+bitexact'],
  ...['-movflags', '+faststart', '-f', 'mp4'],
];

export interface OpenCommand {
  source: string;
  target: string;
  /** Copied, encoded at a constant rate, or left out. */
  picture: 'copy' | 'none' | { frameRate: FrameRate };
  /** Copied, or encoded as AAC-LC at 48 kHz. */
  sound: 'copy' | { channels: 1 | 2 };
}

/** A user's file → an MP4 with at most one track of picture and one of sound. */
export function openArguments({ source, target, picture, sound }: OpenCommand): string[] {
  return ffmpegArguments({
    inputs: [{ source: fileName(source), options: strictUntrustedInput }],
    outputs: [
      {
        target: fileName(target),
        options: [
          ...(picture === 'none' ? ['-vn'] : ['-map', '0:v:0']),
          ...(picture === 'copy' ? ['-c:v', 'copy'] : []),
          ...(typeof picture === 'object' ? [...evenSize, ...encodedPicture(picture.frameRate)] : []),
          ...['-map', '0:a:0', ...(sound === 'copy' ? ['-c:a', 'copy'] : aac(sound.channels))],
          ...plain,
        ],
      },
    ],
  });
}

/** An opened base again, with its pictures encoded so that groups begin at the given ones; or new sound. */
export function reencodeArguments(options: {
  source: string;
  target: string;
  /** Null copies the pictures. */
  picture: { frameRate: FrameRate; groupsAt: readonly number[] } | null;
  sound: 'copy' | { channels: 1 | 2 };
}): string[] {
  const { source, target, picture, sound } = options;
  return ffmpegArguments({
    inputs: [{ source: fileName(source), options: ownInput }],
    outputs: [
      {
        target: fileName(target),
        options: [
          ...['-map', '0:v:0', '-map', '0:a:0'],
          ...(picture === null
            ? ['-c:v', 'copy']
            : [
                ...evenSize,
                ...encodedPicture(picture.frameRate),
                ...forcedGroups(picture.groupsAt, picture.frameRate),
              ]),
          ...(sound === 'copy' ? ['-c:a', 'copy'] : ['-c:a', ...aac(sound.channels).slice(1)]),
          ...plain,
        ],
      },
    ],
  });
}

/** Colours at half the size want an even number of pixels: the last column or row is given up. */
const evenSize = ['-vf', 'crop=floor(iw/2)*2:floor(ih/2)*2:0:0'];

function encodedPicture(rate: FrameRate): string[] {
  const fraction = `${rate.numerator}/${rate.denominator}`;
  return [
    ...x264,
    '-fps_mode',
    'cfr',
    '-r',
    fraction,
    '-video_track_timescale',
    String(videoTimescale(rate)),
  ];
}

/** Units a second of an encoded picture track: whole units a frame, and enough of them. */
export function videoTimescale({ numerator }: FrameRate): number {
  return numerator < 1_000 ? numerator * 512 : numerator;
}

/** The encoder counts in frames, to the nearest of which a time is rounded. */
function forcedGroups(frames: readonly number[], { numerator, denominator }: FrameRate): string[] {
  const times = frames.filter((frame) => frame > 0).map((frame) => (frame * denominator) / numerator);
  return times.length === 0 ? [] : ['-force_key_frames', times.map((time) => time.toFixed(6)).join(',')];
}

/** The sound of a file → interleaved 16-bit samples as a WAV. */
export function soundArguments(source: string, target: string): string[] {
  return ffmpegArguments({
    inputs: [{ source: fileName(source), options: ownInput }],
    outputs: [
      {
        target: fileName(target),
        options: [
          '-map',
          '0:a:0',
          '-c:a',
          'pcm_s16le',
          '-map_metadata',
          '-1',
          '-fflags',
          '+bitexact',
          '-f',
          'wav',
        ],
      },
    ],
  });
}

/** `frames` pictures from the group that begins with picture `from` → raw planar 4:2:0. */
export function picturesArguments(options: {
  source: string;
  target: string;
  from: number;
  frames: number;
  frameRate: FrameRate;
}): string[] {
  const { numerator, denominator } = options.frameRate;
  // A seek goes back to the last key frame that is not behind it, and drops what is before.
  const seconds = Math.max(0, ((options.from - 0.5) * denominator) / numerator);
  return ffmpegArguments({
    inputs: [{ source: fileName(options.source), options: [...ownInput, '-ss', seconds.toFixed(6)] }],
    outputs: [
      {
        target: fileName(options.target),
        options: [
          ...['-map', '0:v:0', '-frames:v', String(options.frames), '-fps_mode', 'passthrough'],
          ...['-pix_fmt', 'yuv420p', '-f', 'rawvideo'],
        ],
      },
    ],
  });
}

/** Raw planar 4:2:0 pictures → a clip that can take the place of a prepared base's. */
export function clipArguments(options: {
  source: string;
  target: string;
  width: number;
  height: number;
  frameRate: FrameRate;
  form: PictureForm;
}): string[] {
  const { source, target, width, height, frameRate, form } = options;
  const fraction = `${frameRate.numerator}/${frameRate.denominator}`;
  const colours = colourOptions(form);
  const aspect = aspectFilter(form).flatMap((filter) => ['-vf', filter]);
  return ffmpegArguments({
    inputs: [
      {
        source: fileName(source),
        options: [
          ...[...ownInput, '-f', 'rawvideo', '-pixel_format', 'yuv420p'],
          ...['-video_size', `${width}x${height}`, '-framerate', fraction, ...colours],
        ],
      },
    ],
    outputs: [
      {
        target: fileName(target),
        options: [
          ...[...aspect, ...encodedPicture(frameRate), ...colours],
          ...['-map_metadata', '-1', '-fflags', '+bitexact', '-f', 'mp4'],
        ],
      },
    ],
  });
}
