import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { analysisRate, speechFeatures } from '../../activities/tts/align/speech-features.js';
import { openMono, piecesOf, resampled } from '../../activities/tts/mono-sound.js';
import { resample, toInt16 } from '../../activities/tts/pcm.js';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mono-sound-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** A sweep under noise: nothing in it repeats. */
function sweep(seconds: number, rate: number): Float32Array {
  let seed = 7;
  return Float32Array.from({ length: Math.round(seconds * rate) }, (_, n) => {
    seed = (seed * 16_807) % 2_147_483_647;
    const time = n / rate;
    return 0.4 * Math.sin(2 * Math.PI * (120 + 90 * time) * time) + 0.1 * (seed / 1_073_741_823.5 - 1);
  });
}

function wavHeader(channels: number, rate: number, dataBytes: number): Buffer {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(dataBytes + 36, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(channels, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate * channels * 2, 28);
  head.writeUInt16LE(channels * 2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(dataBytes, 40);
  return head;
}

test.each([48_000, 44_100, 22_050, 16_000])('%i Hz in pieces are what the whole is', async (rate) => {
  const samples = sweep(3.3, rate);
  const sound = resampled(await openMono({ samples, rate }), analysisRate);
  const whole = resample(samples, rate, analysisRate);
  expect(sound.samples).toBe(whole.length);
  const pieces: number[] = [];
  for await (const piece of piecesOf(sound, 7_001)) pieces.push(...piece);
  expect(Float32Array.from(pieces)).toEqual(whole);
  expect(await sound.read(-3, 5)).toEqual(Float32Array.of(0, 0, 0, whole[0] ?? NaN, whole[1] ?? NaN));
});

test('features do not depend on where a piece ends', async () => {
  // Two pieces and a part of a third, against one that begins where the second does, but for what came before.
  const samples = sweep(24, analysisRate);
  const whole = await speechFeatures(await openMono({ samples, rate: analysisRate }));
  const later = await speechFeatures(
    await openMono({ samples: samples.subarray(5 * analysisRate), rate: analysisRate }),
  );
  expect([whole.frames, later.frames]).toEqual([2_400, 1_900]);
  const size = whole.rows.length / whole.frames;
  const far = 20;
  const differences = later.rows.subarray(far * size).map((value, n) => {
    return Math.abs(value - (whole.rows[(500 + far) * size + n] ?? NaN));
  });
  expect(differences.every((difference) => difference < 1e-4)).toBe(true);
  const levels = later.levelsDb.subarray(far).map((level, n) => {
    return Math.abs(level - (whole.levelsDb[500 + far + n] ?? NaN));
  });
  expect(levels.every((difference) => difference < 1e-3)).toBe(true);
});

test('a file’s channels are mixed, however long it is', async () => {
  const rate = 48_000;
  const seconds = 12_500;
  const path = join(dir, 'long.wav');
  const bytes = seconds * rate * 4;
  expect(bytes).toBeGreaterThan(2 ** 31);
  await writeFile(path, wavHeader(2, rate, bytes));
  // The silence before takes no room on the disk.
  const file = await open(path, 'r+');
  const end = toInt16(Float32Array.of(0.5, 0.25, -0.5, 0.25));
  await file.write(new Uint8Array(end.buffer), 0, 8, 44 + bytes - 8);
  await file.close();
  const sound = await openMono({ wav: path });
  expect([sound.samples, sound.rate]).toEqual([seconds * rate, rate]);
  const last = await sound.read(sound.samples - 3, 5).finally(() => sound.close());
  [0, 0.375, -0.125, 0, 0].forEach((value, n) => {
    expect(last[n]).toBeCloseTo(value, 3);
  });
});
