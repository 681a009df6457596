import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { RawClip } from '../../activities/lipsync/lip-sync.js';

const run = promisify(execFile);

/** ffmpeg, for what the tests make themselves; its standard output. */
export async function ffmpeg(...args: string[]): Promise<Buffer> {
  const options = { encoding: 'buffer' as const, maxBuffer: 256 * 1024 ** 2 };
  return (await run('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args], options)).stdout;
}

const rawOutput = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p'];

/** A moving test pattern without a face. */
export async function patternClip(
  folder: string,
  { frames = 12, width = 160, height = 120 } = {},
): Promise<RawClip> {
  const path = join(folder, 'pattern.yuv');
  const source = `testsrc2=size=${width.toString()}x${height.toString()}:rate=25`;
  await ffmpeg('-f', 'lavfi', '-i', source, '-frames:v', frames.toString(), ...rawOutput, path);
  return { path, width, height, frames, frameRate: { numerator: 25, denominator: 1 } };
}

const portrait = fileURLToPath(new URL('../media/astronaut.png', import.meta.url));

/**
 * A portrait whose head moves a little, as a speaker's does: slow zoom, sway and tilt.
 * @param crop of the 512 × 512 picture, in the clip's proportions.
 */
export async function portraitClip(
  folder: string,
  name: string,
  { frames, width, height, crop }: { frames: number; width: number; height: number; crop: string },
): Promise<RawClip> {
  const path = join(folder, name);
  const filter = [
    `crop=${crop},scale=iw*4:ih*4:flags=bicubic`,
    `zoompan=z='1.05+0.03*sin(on/11)':x='iw/2-iw/zoom/2+6*sin(on/9)':y='ih/2-ih/zoom/2+4*cos(on/7)'` +
      `:d=1:s=${width.toString()}x${height.toString()}:fps=25`,
    `rotate='0.03*sin(2*PI*n/40)':ow=iw:oh=ih`,
    'scale=out_color_matrix=bt709:out_range=tv',
  ].join(',');
  await ffmpeg(
    '-loop',
    '1',
    '-i',
    portrait,
    '-vf',
    filter,
    '-frames:v',
    frames.toString(),
    ...rawOutput,
    path,
  );
  return { path, width, height, frames, frameRate: { numerator: 25, denominator: 1 } };
}

/** Two clips of one size side by side. */
export async function sideBySide(folder: string, left: RawClip, right: RawClip): Promise<RawClip> {
  const path = join(folder, 'pair.yuv');
  const input = ({ path: file, width, height }: RawClip) => [
    ...[
      '-f',
      'rawvideo',
      '-pixel_format',
      'yuv420p',
      '-video_size',
      `${width.toString()}x${height.toString()}`,
    ],
    ...['-framerate', '25', '-i', file],
  ];
  await ffmpeg(...input(left), ...input(right), '-filter_complex', 'hstack', ...rawOutput, path);
  return { ...left, path, width: left.width + right.width };
}

/** One frame of a clip, again and again, each time under other noise. */
export async function noisyStill(
  folder: string,
  clip: RawClip,
  frame: number,
  frames: number,
): Promise<RawClip> {
  const path = join(folder, 'still.yuv');
  const filter = `select=eq(n\\,${frame.toString()}),loop=loop=${(frames - 1).toString()}:size=1,noise=alls=6:allf=t`;
  await ffmpeg(
    ...['-f', 'rawvideo', '-pixel_format', 'yuv420p', '-framerate', '25'],
    ...['-video_size', `${clip.width.toString()}x${clip.height.toString()}`, '-i', clip.path],
    ...['-vf', filter, '-fps_mode', 'passthrough', '-frames:v', frames.toString(), ...rawOutput, path],
  );
  return { ...clip, path, frames };
}
