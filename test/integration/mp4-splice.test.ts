import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readMovie, type Movie, type Track } from '../../activities/media/mp4/movie.js';
import { spliceMovie } from '../../activities/media/mp4/splice.js';
import type { NewSample } from '../../activities/media/mp4/track-edits.js';

const run = promisify(execFile);
const encoding =
  '-c:v libx264 -preset veryfast -crf 23 -pix_fmt yuv420p -c:a aac -b:a 128k -movflags +faststart'.split(' ');

let dir: string;
let base: string;
let movie: Movie;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'splice-'));
  base = join(dir, 'base.mp4');
  // Key frames at 0, 2, 3 and 6 s, B-frames between, sound of another length than the picture.
  await ffmpeg(
    ...'-f lavfi -i testsrc2=s=320x240:r=30:d=8 -f lavfi -i sine=440:r=48000:d=7.9'.split(' '),
    ...['-force_key_frames', '2,3,6', ...encoding, base],
  );
  movie = await readMovie(base);
});

afterAll(() => rm(dir, { recursive: true, force: true }));

describe('splicing an MP4', () => {
  test('with nothing replaced, every packet stands where it stood', async () => {
    const target = join(dir, 'same.mp4');
    const sha256 = await spliceMovie({ base, movie, target }, []);
    expect(sha256).toBe(
      createHash('sha256')
        .update(await readFile(target))
        .digest('hex'),
    );
    for (const kind of ['v', 'a']) expect(await packets(target, kind)).toEqual(await packets(base, kind));
    expect(await hashOfFrames(target)).toEqual(await hashOfFrames(base));
    const [before, after] = [await durations(base), await durations(target)];
    expect(after).toEqual(before);
  });

  test('other sound of other sizes leaves picture and remaining sound as they are', async () => {
    const target = join(dir, 'sound.mp4');
    const other = await encoded('sine=880:r=48000:d=8');
    await spliceMovie({ base, movie, target }, [
      { kind: 'audio', from: 100, to: 150, samples: await samplesOf(other, 'audio', 100, 150) },
    ]);
    expect(await packets(target, 'v')).toEqual(await packets(base, 'v'));
    const [before, after] = [await packets(base, 'a'), await packets(target, 'a')];
    expect(after).toHaveLength(before.length);
    after.forEach((packet, index) => {
      expect(packet.time).toBe(before[index]?.time);
      const isReplaced = index >= 100 && index < 150;
      expect([index, packet.hash === before[index]?.hash]).toEqual([index, !isReplaced]);
    });
    const [left, right] = [await sound(base), await sound(target)];
    expect(right.length).toBe(left.length);
    // The decoder's windows reach one frame into what follows.
    expect(right.subarray(0, 99 * 1024)).toEqual(left.subarray(0, 99 * 1024));
    expect(right.subarray(152 * 1024)).toEqual(left.subarray(152 * 1024));
    expect(right.subarray(101 * 1024, 149 * 1024)).not.toEqual(left.subarray(101 * 1024, 149 * 1024));
  });

  test('more pictures and more sound in place of a stretch move what follows, and lengths grow', async () => {
    const target = join(dir, 'longer.mp4');
    const other = await encoded('sine=880:r=48000:d=4', '-frames:v', '45');
    const picture = await samplesOf(other, 'video', 0, 45);
    // 45 in place of 30 pictures: half a second, which is 23.4 frames of sound.
    await spliceMovie({ base, movie, target }, [
      { kind: 'audio', from: 94, to: 112, samples: await samplesOf(other, 'audio', 1, 42) },
      { kind: 'video', from: 60, to: 90, samples: picture },
    ]);
    const [before, after] = [await packets(base, 'v'), await packets(target, 'v')];
    expect(after).toHaveLength(before.length + 15);
    expect(after.slice(0, 60)).toEqual(before.slice(0, 60));
    expect(after.slice(105).map(({ hash }) => hash)).toEqual(before.slice(90).map(({ hash }) => hash));
    expect(after.slice(105).map(({ time }) => time)).toEqual(
      before.slice(90).map(({ time }) => expect.closeTo(time + 0.5, 5) as number),
    );
    const times = after.map(({ time }) => time).sort((a, b) => a - b);
    times.forEach((time, index) => {
      expect(time).toBeCloseTo(index / 30, 4);
    });
    const [shorter, longer] = [await durations(base), await durations(target)];
    expect(longer.video).toBeCloseTo(shorter.video + 0.5, 3);
    expect(longer.audio).toBeCloseTo(shorter.audio + (23 * 1024) / 48_000, 3);
    await ffmpeg('-xerror', '-err_detect', 'explode', '-i', target, '-f', 'null', '-');
  });

  test('samples that go without others leave what follows in its order', async () => {
    const target = join(dir, 'shorter.mp4');
    await spliceMovie({ base, movie, target }, [{ kind: 'audio', from: 20, to: 90, samples: [] }]);
    expect(await packets(target, 'v')).toEqual(await packets(base, 'v'));
    const [before, after] = [await packets(base, 'a'), await packets(target, 'a')];
    const kept = [...before.slice(0, 20), ...before.slice(90)];
    expect(after.map(({ hash }) => hash)).toEqual(kept.map(({ hash }) => hash));
    await ffmpeg('-xerror', '-err_detect', 'explode', '-i', target, '-f', 'null', '-');
  });

  test('replacements that overlap, lie outside or replace nothing are refused', async () => {
    const target = join(dir, 'refused.mp4');
    const overlapping = [
      { kind: 'video' as const, from: 10, to: 20, samples: [] },
      { kind: 'video' as const, from: 19, to: 21, samples: [] },
    ];
    await expect(spliceMovie({ base, movie, target }, overlapping)).rejects.toThrow(RangeError);
    const nothing = [{ kind: 'audio' as const, from: 10, to: 10, samples: [] }];
    await expect(spliceMovie({ base, movie, target }, nothing)).rejects.toThrow(RangeError);
    const outside = [{ kind: 'audio' as const, from: 10, to: 10_000, samples: [] }];
    await expect(spliceMovie({ base, movie, target }, outside)).rejects.toThrow(RangeError);
  });

  test('what is not a whole MP4 is refused', async () => {
    const cut = join(dir, 'cut.mp4');
    const file = await open(cut, 'w');
    await file.write((await readFile(base)).subarray(0, 5_000));
    await file.close();
    await expect(readMovie(cut)).rejects.toThrow('cut off');
    const pieces = join(dir, 'pieces.mp4');
    await ffmpeg('-i', base, '-c', 'copy', '-movflags', '+frag_keyframe+empty_moov', pieces);
    await expect(readMovie(pieces)).rejects.toThrow('fragmented');
  });
});

async function encoded(sine: string, ...more: string[]): Promise<string> {
  const path = join(dir, `${createHash('sha1').update(sine).digest('hex')}.mp4`);
  const inputs = ['-f', 'lavfi', '-i', 'testsrc=s=320x240:r=30:d=8', '-f', 'lavfi', '-i', sine];
  await ffmpeg(...inputs, ...more, ...encoding, path);
  return path;
}

async function samplesOf(path: string, kind: Track['kind'], from: number, to: number): Promise<NewSample[]> {
  const bytes = await readFile(path);
  const track = (await readMovie(path)).tracks.find((candidate) => candidate.kind === kind);
  return (track?.samples ?? []).slice(from, to).map(({ offset, bytes: length, ...facts }) => ({
    ...facts,
    data: bytes.subarray(offset, offset + length),
  }));
}

async function ffmpeg(...args: string[]): Promise<string> {
  const { stdout } = await run('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args], {
    maxBuffer: 1 << 26,
    encoding: 'latin1',
  });
  return stdout;
}

/** Time in seconds and hash of each packet, in the file's order. */
async function packets(path: string, kind: string): Promise<{ time: number; hash: string }[]> {
  const entries = ['-show_packets', '-show_data_hash', 'md5', '-show_entries', 'packet=pts_time,data_hash'];
  const { stdout } = await run(
    'ffprobe',
    ['-v', 'error', '-select_streams', kind, ...entries, '-of', 'csv=p=0', path],
    { maxBuffer: 1 << 26 },
  );
  return (
    stdout
      .trim()
      .split('\n')
      // A packet's side data has a line of its own.
      .filter((line) => line.includes('MD5:'))
      .map((line) => {
        const [time = '', hash = ''] = line.split(',');
        return { time: Number(time), hash };
      })
  );
}

async function durations(path: string): Promise<{ video: number; audio: number }> {
  const of = async (kind: string) => {
    const entries = ['-select_streams', kind, '-show_entries', 'stream=duration', '-of', 'csv=p=0'];
    return Number((await run('ffprobe', ['-v', 'error', ...entries, path])).stdout.trim());
  };
  return { video: await of('v'), audio: await of('a') };
}

async function hashOfFrames(path: string): Promise<string[]> {
  const text = await ffmpeg('-i', path, '-f', 'framemd5', '-');
  return text.split('\n').filter((line) => !line.startsWith('#'));
}

async function sound(path: string): Promise<Int16Array> {
  const raw = Buffer.from(await ffmpeg('-i', path, '-map', '0:a', '-f', 's16le', '-'), 'latin1');
  return new Int16Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length));
}
