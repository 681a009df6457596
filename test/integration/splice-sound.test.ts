import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reencodeArguments, soundArguments } from '../../activities/media/personalize/base-commands.js';
import { spliceSound, type SoundEdit } from '../../activities/media/personalize/splice-sound.js';
import { openWav, type WavWindow } from '../../activities/media/personalize/wav-window.js';
import { readMovie } from '../../activities/media/mp4/movie.js';
import { spliceMovie } from '../../activities/media/mp4/splice.js';

const run = promisify(execFile);
const tools = { ffmpegPath: 'ffmpeg', ffprobePath: 'ffprobe' };
const frame = 1024;

let dir: string;
const opened: WavWindow[] = [];

async function openSound(path: string): Promise<WavWindow> {
  const sound = await openWav(path);
  opened.push(sound);
  return sound;
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'splice-sound-'));
});
afterAll(async () => {
  for (const sound of opened) await sound.close();
  await rm(dir, { recursive: true, force: true });
});

/** Two voices that glide, over noise: nothing repeats, so that a shift by one sample shows. */
const glide = (rate: number) =>
  `aevalsrc='0.3*sin(2*PI*(200+150*sin(t*1.7))*t)+0.15*sin(2*PI*(900+70*t)*t)+0.02*(random(0)-0.5)':s=${rate}:d=6`;

describe.each([
  ['our own encoder, 48 kHz stereo', 48_000, 2, true],
  ['our own encoder, 48 kHz mono', 48_000, 1, true],
  ["ffmpeg's defaults at 44.1 kHz", 44_100, 2, false],
])('replacing a stretch of sound encoded by %s', (_, rate, channels, isOurs) => {
  let base: string;
  let sound: WavWindow;

  beforeAll(async () => {
    const name = `${rate}-${channels}`;
    const given = join(dir, `${name}-given.mp4`);
    await ffmpeg(
      ...['-f', 'lavfi', '-i', 'testsrc2=s=160x120:r=25:d=6', '-f', 'lavfi', '-i', glide(rate)],
      // A decoder makes up noise that its encoder left out, anew each time: that would hide what is compared.
      ...['-ac', String(channels), '-c:a', 'aac', '-b:a', '160k', '-aac_pns', '0', '-movflags', '+faststart'],
      given,
    );
    base = isOurs ? join(dir, `${name}.mp4`) : given;
    if (isOurs) {
      await ffmpeg(
        ...reencodeArguments({
          source: given,
          target: base,
          picture: null,
          sound: { channels: channels === 1 ? 1 : 2 },
        }),
      );
    }
    const wav = join(dir, `${name}.wav`);
    await ffmpeg(...soundArguments(base, wav));
    sound = await openSound(wav);
  });

  async function splice(edits: SoundEdit[]): Promise<{ path: string; decoded: WavWindow }> {
    const movie = await readMovie(base);
    const path = join(dir, 'spliced.mp4');
    const bitsPerSecond = channels === 1 ? 112_000 : 192_000;
    const replacements = await spliceSound(tools, { path: base, movie, sound, bitsPerSecond, edits });
    await spliceMovie({ base, movie, target: path }, replacements);
    const wav = join(dir, 'spliced.wav');
    await ffmpeg(...soundArguments(path, wav));
    return { path, decoded: await openSound(wav) };
  }

  test('what stands before and after stays, and the new sound is heard where it belongs', async () => {
    const [start, end] = [Math.round(2.1 * rate), Math.round(2.9 * rate)];
    const pcm = tone(end - start, channels, rate);
    const { path, decoded } = await splice([{ start, end, pcm }]);
    expect(decoded.samples).toBe(sound.samples);
    // The frames that hold a changed sample also hold up to two frames' worth around it.
    const before = start - 3 * frame;
    const after = end + 3 * frame;
    expect(await difference(sound, 0, decoded, 0, before - 6 * frame)).toBe(-Infinity);
    expect(await difference(sound, before - 6 * frame, decoded, before - 6 * frame, 6 * frame)).toBeLessThan(
      -50,
    );
    expect(await difference(sound, after, decoded, after, 6 * frame)).toBeLessThan(-50);
    const far = after + 8 * frame;
    expect(await difference(sound, far, decoded, far, sound.samples - far)).toBe(-Infinity);
    const heard = await decoded.read(start, end - start);
    expect(levelOf(minus(heard, pcm)) - levelOf(pcm)).toBeLessThan(-25);
    await run('ffmpeg', ['-v', 'error', '-xerror', '-err_detect', 'explode', '-i', path, '-f', 'null', '-']);
  });

  test('a stretch that grows by whole frames moves what follows by just that', async () => {
    const [start, end] = [Math.round(1.5 * rate), Math.round(2.2 * rate)];
    const growth = 7 * frame;
    const pcm = tone(end - start + growth, channels, rate);
    const { decoded } = await splice([{ start, end, pcm }]);
    expect(decoded.samples).toBe(sound.samples + growth);
    const far = end + 12 * frame;
    expect(await difference(sound, far, decoded, far + growth, sound.samples - far)).toBe(-Infinity);
    const heard = await decoded.read(start, pcm.length / channels);
    expect(levelOf(minus(heard, pcm)) - levelOf(pcm)).toBeLessThan(-25);
    const odd = tone(end - start + 100, channels, rate);
    await expect(splice([{ start, end, pcm: odd }])).rejects.toThrow(RangeError);
  });

  test('several stretches, far apart and close together, at the very start and end', async () => {
    const at = (seconds: number) => Math.round(seconds * rate);
    const spans = [
      [0, at(0.4)],
      [at(1), at(1.3)],
      [at(1.35), at(1.8)],
      [at(4), at(4.2)],
      [sound.samples - at(0.5), sound.samples],
    ] as const;
    const edits = spans.map(([start, end]) => ({ start, end, pcm: tone(end - start, channels, rate) }));
    const { decoded } = await splice(edits);
    expect(decoded.samples).toBe(sound.samples);
    for (const { start, end, pcm } of edits) {
      const heard = await decoded.read(start, end - start);
      expect(levelOf(minus(heard, pcm)) - levelOf(pcm)).toBeLessThan(-20);
    }
    const quiet = at(2.5);
    expect(await difference(sound, quiet, decoded, quiet, at(1))).toBe(-Infinity);
    const overlapping = [
      edits[1],
      { start: at(1.1), end: at(1.2), pcm: tone(at(1.2) - at(1.1), channels, rate) },
    ];
    await expect(splice(overlapping.filter((edit) => edit !== undefined))).rejects.toThrow(RangeError);
  });
});

function tone(samples: number, channels: number, rate: number): Float32Array {
  return Float32Array.from({ length: samples * channels }, (_, index) => {
    const time = Math.floor(index / channels) / rate;
    return 0.25 * Math.sin(2 * Math.PI * (440 + 100 * time) * time);
  });
}

/** Level of the difference in dB of full scale; −∞ for none. */
async function difference(
  one: WavWindow,
  oneFrom: number,
  other: WavWindow,
  otherFrom: number,
  samples: number,
): Promise<number> {
  return levelOf(minus(await one.read(oneFrom, samples), await other.read(otherFrom, samples)));
}

function minus(one: Float32Array, other: Float32Array): Float32Array {
  return one.map((value, index) => value - (other[index] ?? 0));
}

function levelOf(pcm: Float32Array): number {
  return 10 * Math.log10(pcm.reduce((sum, value) => sum + value * value, 0) / pcm.length);
}

async function ffmpeg(...args: string[]): Promise<void> {
  await run('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args], { maxBuffer: 1 << 26 });
}
