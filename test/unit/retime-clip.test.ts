import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { clipFrameBytes } from '../../activities/lipsync/lip-sync.js';
import { retimeClip, retimedFrames } from '../../activities/lipsync/retime-clip.js';

/** Pictures of one block, each so much brighter than the one before. */
function moving(...steps: number[]): Float32Array[] {
  let level = 0;
  return [0, ...steps].map((step) => Float32Array.of((level += step)));
}
const timesShown = (order: readonly number[], frame: number) => order.filter((one) => one === frame).length;

describe('a clip in more frames', () => {
  // It hardly moves around picture 3, and around picture 9.
  const pictures = moving(8, 8, 0.5, 0.5, 8, 8, 8, 8, 1, 1, 8, 8);

  it('stands still where it moves least, and shows every picture in its turn', () => {
    const order = retimedFrames(pictures, 17, 10);
    expect(order).toEqual([0, 1, 2, 3, 3, 3, 3, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  it('stands still again elsewhere rather than for long', () => {
    const order = retimedFrames(pictures, 13 + 8, 4);
    expect([timesShown(order, 3), timesShown(order, 9)]).toEqual([5, 5]);
    expect(new Set(order).size).toBe(13);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  });

  it('has as many as were asked for, however few there are', () => {
    expect(retimedFrames(moving(), 5, 2)).toEqual([0, 0, 0, 0, 0]);
    expect(retimedFrames(moving(1), 6, 1)).toEqual([0, 0, 0, 1, 1, 1]);
    expect(retimedFrames(pictures, 13, 4)).toEqual([...pictures.keys()]);
  });
});

describe('a clip in fewer frames', () => {
  it('leaves out what moves least, and keeps its first and last', () => {
    const order = retimedFrames(moving(8, 8, 1, 1, 8, 8, 1, 8), 7, 10);
    expect(order).toHaveLength(7);
    expect([order[0], order.at(-1)]).toEqual([0, 8]);
    // Of the three that are nearly alike one stays, and of the two.
    expect([2, 3, 4].filter((frame) => order.includes(frame))).toHaveLength(2);
    expect([6, 7].filter((frame) => order.includes(frame))).toHaveLength(1);
  });

  it('jumps nowhere further than it must where it moves evenly', () => {
    const order = retimedFrames(moving(...Array<number>(20).fill(5)), 11, 10);
    const jumps = order.slice(1).map((frame, n) => frame - (order[n] ?? 0));
    expect(Math.max(...jumps)).toBe(2);
    expect([order[0], order.at(-1)]).toEqual([0, 20]);
    expect(retimedFrames(moving(1, 1, 1), 1, 10)).toEqual([0]);
    expect(retimedFrames(moving(1, 1, 1), 2, 10)).toEqual([0, 3]);
  });
});

it('a raw clip is written anew with its pictures in their new order', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'retime-'));
  try {
    const clip = { path: join(dir, 'in.raw'), width: 16, height: 16, frames: 6 };
    const bytes = clipFrameBytes(clip);
    // It brightens, rests, and brightens again; the colours number the pictures.
    const levels = [20, 60, 100, 100, 140, 180];
    const pictures = levels.map((level, n) => Buffer.alloc(bytes, n).fill(level, 0, 256));
    await writeFile(clip.path, Buffer.concat(pictures));
    const source = { ...clip, frameRate: { numerator: 25, denominator: 1 } };
    const longer = await retimeClip(source, 9, join(dir, 'longer.raw'));
    expect(longer).toEqual({ ...source, path: join(dir, 'longer.raw'), frames: 9 });
    const numbers = async (path: string) => {
      const file = await readFile(path);
      return Array.from({ length: file.length / bytes }, (_, n) => file[(n + 1) * bytes - 1]);
    };
    expect(await numbers(longer.path)).toEqual([0, 1, 2, 2, 2, 2, 3, 4, 5]);
    const shorter = await retimeClip(source, 5, join(dir, 'shorter.raw'));
    expect(await numbers(shorter.path)).toEqual([0, 1, 3, 4, 5]);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
