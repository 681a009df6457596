import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { RawClip } from '../../activities/lipsync/lip-sync.js';
import { planesOf } from '../../activities/lipsync/viseme/frame-planes.js';
import { frameOf, type Box } from './mouth-opening.js';

const run = promisify(execFile);

/** ffmpeg's standard output as text. */
async function ffmpegText(...args: string[]): Promise<string> {
  return (await run('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args], { maxBuffer: 1 << 28 })).stdout;
}

/** Hashes of the decoded pictures. */
export async function frameHashes(path: string): Promise<string[]> {
  const lines = await ffmpegText('-xerror', '-i', path, '-map', '0:v', '-f', 'framemd5', '-');
  return lines
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.slice(line.lastIndexOf(',') + 1).trim());
}

/** Pictures `from` and on of a video at 25 a second, as a raw clip at `target`; all without a number. */
export async function decodeFrames(
  path: string,
  target: string,
  { width, height }: { width: number; height: number },
  part?: { from: number; frames: number },
): Promise<RawClip> {
  const select =
    part === undefined ? [] : ['-vf', `select='between(n,${part.from},${part.from + part.frames - 1})'`];
  await ffmpegText(
    ...['-i', path, '-map', '0:v', ...select, '-fps_mode', 'passthrough'],
    ...['-pix_fmt', 'yuv420p', '-f', 'rawvideo', target],
  );
  const frames = (await readFile(target)).length / ((width * height * 3) / 2);
  return { path: target, width, height, frames, frameRate: { numerator: 25, denominator: 1 } };
}

/** Mean change of luma in a box of each frame and outside of it. */
export async function lumaChanges(
  one: RawClip,
  other: RawClip,
  boxes: readonly (Box | undefined)[],
): Promise<{ inside: number[]; outside: number[] }> {
  const files = [await readFile(one.path), await readFile(other.path)];
  const result: { inside: number[]; outside: number[] } = { inside: [], outside: [] };
  for (const [n, box] of boxes.entries()) {
    if (box === undefined) throw new Error(`frame ${n.toString()} has no box`);
    const [before, after] = files.map((file) => planesOf(frameOf(file, one, n), one.width, one.height).luma);
    const sums = { inside: 0, outside: 0 };
    const counts = { inside: 0, outside: 0 };
    before?.forEach((value, k) => {
      const [x, y] = [k % one.width, Math.floor(k / one.width)];
      const isInside = x >= box.left && x <= box.right && y >= box.top && y <= box.bottom;
      const where = isInside ? 'inside' : 'outside';
      sums[where] += Math.abs(value - (after?.[k] ?? 0));
      counts[where] += 1;
    });
    result.inside.push(sums.inside / counts.inside);
    result.outside.push(sums.outside / counts.outside);
  }
  return result;
}
