import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ArtifactStore } from '../../activities/artifacts.js';
import { mixTracks } from '../../activities/media/audio/mix-tracks.js';
import { levelVoice } from '../../activities/media/audio/voice-level.js';
import { prepareMusic } from '../../activities/media/audio/music.js';
import type { AudioPlan } from '../../activities/media/composition.js';
import { runFfmpeg } from '../../activities/media/ffmpeg/run.js';
import { builtinMusic } from '../../workflows/contract/options.js';
import { createFolderStore, createMemoryCache } from '../support/folder-store.js';

const tools = { ffmpegPath: 'ffmpeg', ffprobePath: 'ffprobe' };
const { signal } = new AbortController();
const cache = createMemoryCache();
let dir: string;
let artifacts: ArtifactStore;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'callsheet-music-'));
  artifacts = await createFolderStore(join(dir, 'artifacts'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

type Music = NonNullable<AudioPlan['music']>;

async function prepared(music: Music) {
  const deps = { artifacts, cache, tools, scratchDir: join(dir, 'scratch') };
  const made = await prepareMusic(deps, music);
  return { ...made, path: await artifacts.fetch(made.artifact) };
}

/** Left and right of raw 16-bit stereo, full scale = 1. */
async function sidesOf(path: string): Promise<[Float64Array, Float64Array]> {
  const bytes = new Uint8Array(await readFile(path));
  const pcm = new Int16Array(bytes.buffer);
  const side = (at: number) =>
    Float64Array.from({ length: pcm.length / 2 }, (_, n) => (pcm[2 * n + at] ?? 0) / 32_768);
  return [side(0), side(1)];
}

const loudnessLufs = -14;

const power = (pcm: ArrayLike<number>, from = 0, to = pcm.length) => {
  let sum = 0;
  for (let n = from; n < to; n += 1) sum += (pcm[n] ?? 0) ** 2;
  return sum / (to - from);
};
const decibels = (ratio: number) => 10 * Math.log10(ratio + 1e-12);

/** How sharply the wave bends at each sample, around the loop's seam too. */
function bends(pcm: Float64Array): Float64Array {
  const at = (n: number) => pcm[(n + pcm.length) % pcm.length] ?? 0;
  return pcm.map((sample, n) => Math.abs(at(n - 1) - 2 * sample + at(n + 1)));
}

/** Mean of the frequencies weighted by power, from how much steeper the wave's slope is than the wave. */
function centroidHertz(pcm: Float64Array): number {
  const slopes = pcm.map((sample, n) => sample - (pcm[n - 1] ?? sample));
  return (48_000 / (2 * Math.PI)) * Math.sqrt(power(slopes) / power(pcm));
}

/** Syllables with a pause between seconds 6 and 12; raw mono floats. */
async function speech(seconds: number): Promise<{ path: string; pcm: Float32Array }> {
  const pcm = Float32Array.from({ length: seconds * 48_000 }, (_, n) => {
    const t = n / 48_000;
    if ((t > 6 && t < 12) || t < 1 || t > seconds - 3) return 0;
    let voice = 0;
    for (let k = 1; k < 9; k += 1) voice += Math.cos(2 * Math.PI * k * (120 * t + 2 * Math.sin(2 * t))) / k;
    return 0.12 * (0.15 + Math.sin(Math.PI * 3.5 * t) ** 2) * voice;
  });
  levelVoice(pcm, { loudnessLufs, ceilingDb: -1.9 }, 0);
  const path = join(dir, 'speech.f32');
  await writeFile(path, new Uint8Array(pcm.buffer));
  return { path, pcm };
}

/** The left side of what is mixed. */
async function mixed(samples: number, voice: string | null, music: Music | null): Promise<Float32Array> {
  const target = join(dir, 'mix.f32');
  const bed = music && { ...(await prepared(music)), gainDb: music.gainDb, duck: music.duck };
  await mixTracks({ samples, speech: voice, loudnessLufs, music: bed, target, signal });
  const stereo = new Float32Array(new Uint8Array(await readFile(target)).buffer);
  expect(stereo).toHaveLength(2 * samples);
  return Float32Array.from({ length: samples }, (_, n) => stereo[2 * n] ?? 0);
}

describe.each(builtinMusic)('the bed "%s"', (builtin) => {
  const music: Music = { builtin, gainDb: 0, duck: true };

  it('is soft, wide and alive, and has no seam', async () => {
    const { path, loudnessLufs, crossfadeSamples } = await prepared(music);
    const [left, right] = await sidesOf(path);
    expect(left.length).toBeGreaterThan(30 * 48_000);
    expect(crossfadeSamples).toBe(0);
    expect(loudnessLufs).toBeGreaterThan(-26);
    const peak = left.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    expect(peak).toBeLessThan(0.8);
    // Nothing at the seam bends more sharply than the music itself does all the time.
    for (const side of [left, right]) {
      const all = bends(side);
      const seam = Math.max(...all.subarray(0, 24), ...all.subarray(all.length - 24));
      const usual = all.slice().sort()[Math.floor(all.length * 0.999)] ?? 0;
      expect(seam).toBeLessThanOrEqual(usual);
      expect(all.reduce((most, bend) => Math.max(most, bend), 0)).toBeLessThan(6 * usual);
    }
    const width = decibels(
      power(left.map((sample, n) => sample - (right[n] ?? 0))) /
        power(left.map((sample, n) => sample + (right[n] ?? 0))),
    );
    expect(width).toBeGreaterThan(-12);
    expect(width).toBeLessThan(-2);
    expect(centroidHertz(left)).toBeGreaterThan(150);
    expect(centroidHertz(left)).toBeLessThan(900);
    const seconds = Array.from({ length: Math.floor(left.length / 48_000) }, (_, n) =>
      decibels(power(left, n * 48_000, (n + 1) * 48_000)),
    );
    const range = Math.max(...seconds) - Math.min(...seconds);
    expect(range).toBeGreaterThan(1.5);
    expect(range).toBeLessThan(9);
  });

  it('lies well below a voice and comes up in its pauses', async () => {
    const seconds = 18;
    const { path, pcm } = await speech(seconds);
    const samples = seconds * 48_000;
    const dry = await mixed(samples, path, null);
    const both = await mixed(samples, path, music);
    const bed = both.map((sample, n) => sample - (dry[n] ?? 0));
    const spoken = (of: ArrayLike<number>) =>
      decibels((power(of, 2 * 48_000, 6 * 48_000) + power(of, 12.5 * 48_000, 15 * 48_000)) / 2);
    expect(spoken(dry) - spoken(bed)).toBeGreaterThanOrEqual(12);
    const pause = decibels(power(bed, 8 * 48_000, 11 * 48_000));
    expect(pause - spoken(bed)).toBeGreaterThanOrEqual(6);
    expect(spoken(bed)).toBeGreaterThan(-52);
    // It has given way before the voice comes back and rises without a jump.
    expect(decibels(power(bed, 11.9 * 48_000, 12 * 48_000))).toBeLessThan(pause - 4);
    const jumps = bends(Float64Array.from(bed)).subarray(1, -1);
    expect(jumps.reduce((a, b) => Math.max(a, b), 0)).toBeLessThan(0.02);
    expect(power(pcm)).toBeGreaterThan(0);
  });
});

describe("a user's own music", () => {
  const formats = [
    ['mp3', ['-c:a', 'libmp3lame', '-b:a', '160k']],
    ['ogg', ['-c:a', 'libvorbis', '-q:a', '5']],
    ['wav', ['-c:a', 'pcm_s16le']],
  ] as const;

  async function upload(extension: string, encoding: readonly string[], seconds: number, expression: string) {
    const path = join(dir, `upload-${seconds}.${extension}`);
    const source = `aevalsrc='${expression}':s=44100:d=${seconds}:c=mono`;
    await runFfmpeg(tools, { args: ['-f', 'lavfi', '-i', source, ...encoding, path], timeoutMs: 60_000 });
    return { artifact: await artifacts.publishFile(path, extension), gainDb: 0, duck: true };
  }

  it.each(formats)(
    'is repeated without a gap or a click when it is shorter (%s)',
    async (extension, encoding) => {
      const music = await upload(extension, encoding, 5, '0.4*sin(2*PI*330*t)+0.2*sin(2*PI*495*t)');
      const samples = 17 * 48_000;
      const sound = await mixed(samples, null, music);
      const middle = power(sound, 2 * 48_000, 12 * 48_000);
      for (let from = 48_000; from < samples - 3 * 48_000; from += 4_800) {
        // Where end and beginning cross, two tones of one pitch add up as their phases happen to be.
        expect(decibels(power(sound, from, from + 4_800) / middle)).toBeGreaterThan(-14);
      }
      const bend = bends(Float64Array.from(sound)).subarray(1, -1);
      const usual = bend.slice().sort()[Math.floor(bend.length * 0.5)] ?? 0;
      expect(bend.reduce((a, b) => Math.max(a, b), 0)).toBeLessThan(6 * usual);
      expect(decibels(power(sound, samples - 2_400, samples) / middle)).toBeLessThan(-20);
    },
  );

  it('is cut off with a fade when it is longer', async () => {
    // Every second sounds a tone of its own.
    const music = await upload('mp3', ['-c:a', 'libmp3lame'], 40, '0.4*sin(2*PI*(300+50*floor(t))*t)');
    const sound = await mixed(12 * 48_000, null, music);
    for (const second of [1, 4, 8]) {
      const part = Float64Array.from(sound.subarray((second + 0.2) * 48_000, (second + 0.8) * 48_000));
      expect(Math.abs(centroidHertz(part) - (300 + 50 * second))).toBeLessThan(15);
    }
    expect(
      decibels(power(sound, 11.95 * 48_000, 12 * 48_000) / power(sound, 5 * 48_000, 8 * 48_000)),
    ).toBeLessThan(-20);
  });
});
