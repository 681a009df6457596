import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  frameSamples,
  primingSamples,
  readAdts,
  streamFrames,
  writeAdts,
  type AacFormat,
  type AacStream,
} from '../../activities/media/aac/adts.js';
import { decodeAac, encodeStretch } from '../../activities/media/aac/encode-stretch.js';
import { writeM4a } from '../../activities/media/aac/m4a.js';
import { framesAround, joinStretches, spliceStretch } from '../../activities/media/aac/stretch.js';
import { fadesOutLike, windowTail } from '../../activities/media/aac/window.js';
import { probe, runFfmpeg } from '../../activities/media/ffmpeg/run.js';

const tools = { ffmpegPath: 'ffmpeg', ffprobePath: 'ffprobe' };
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'callsheet-aac-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** Interleaved sound that changes all the time: a glide, a chord, and clicks that call for short windows. */
function sound({ sampleRate, channels }: AacFormat, samples: number, seed = 0): Float32Array {
  let noise = seed + 1;
  return Float32Array.from({ length: samples * channels }, (_, place) => {
    const [n, channel] = [Math.floor(place / channels), place % channels];
    const t = n / sampleRate;
    noise = (noise * 48_271) % 2_147_483_647;
    const click = Math.exp(-((n + channel * 40 + seed * 999) % 17_000) / 150) * (noise / 2 ** 30 - 1);
    const glide = Math.sin(2 * Math.PI * (200 + seed * 70 + 60 * Math.sin(1.3 * t)) * t + channel);
    return 0.25 * glide + 0.1 * Math.sin(2 * Math.PI * 1_320 * t) + 0.3 * click;
  });
}

const part = (pcm: Float32Array, format: AacFormat, from: number, to: number, bitsPerSecond = 160_000) => ({
  ...{ ...format, from, to, bitsPerSecond },
  read: (start: number, target: Float32Array) => {
    for (let n = 0; n < target.length; n += 1) target[n] = pcm[start * format.channels + n] ?? 0;
    return Promise.resolve();
  },
});

/** All of it at once, as ffmpeg would do. */
async function encodeWhole(pcm: Float32Array, format: AacFormat): Promise<AacStream> {
  const samples = pcm.length / format.channels;
  return joinStretches([await encodeStretch(tools, part(pcm, format, 0, streamFrames(samples)))]);
}

/** Without the priming, so that sample n of the sound is sample n here. */
async function decoded(stream: AacStream): Promise<Float32Array> {
  const target = join(dir, 'decoded.f32');
  await decodeAac(tools, stream, target);
  const pcm = new Float32Array(new Uint8Array(await readFile(target)).buffer);
  expect(pcm.length).toBe(stream.frames.length * frameSamples * stream.channels);
  return pcm.subarray(primingSamples * stream.channels);
}

/** Level of the difference against full scale, over samples of all channels. */
function differenceDb(a: Float32Array, b: Float32Array, from: number, to: number): number {
  let sum = 0;
  for (let n = from; n < to; n += 1) sum += ((a[n] ?? 0) - (b[n] ?? 0)) ** 2;
  return 10 * Math.log10(sum / (to - from) + 1e-20);
}

const formats: AacFormat[] = [
  { sampleRate: 48_000, channels: 2 },
  { sampleRate: 48_000, channels: 1 },
  { sampleRate: 44_100, channels: 2 },
  { sampleRate: 44_100, channels: 1 },
];

describe.each(formats)('AAC at $sampleRate Hz, $channels channels', (format) => {
  const { channels, sampleRate } = format;
  const samples = 6 * sampleRate + 77;

  it('reads the frames that it writes, and what ffmpeg writes', async () => {
    const stream = await encodeWhole(sound(format, samples), format);
    expect(stream.frames).toHaveLength(streamFrames(samples));
    expect(readAdts(writeAdts(stream))).toEqual(stream);
    const path = join(dir, 'own.aac');
    await writeFile(path, writeAdts(stream));
    const copy = join(dir, 'copy.aac');
    const args = ['-i', path, '-c', 'copy', '-f', 'adts', '-y', copy];
    await runFfmpeg(tools, { args, timeoutMs: 60_000 });
    expect(readAdts(await readFile(copy))).toEqual(stream);
  });

  it('joins stretches that were encoded apart to what the whole would be', async () => {
    const pcm = sound(format, samples);
    const whole = await decoded(await encodeWhole(pcm, format));
    const cuts = [0, 61, 62 + 40, 170, streamFrames(samples)];
    const stretches = await Promise.all(
      cuts.slice(1).map((to, index) => encodeStretch(tools, part(pcm, format, cuts[index] ?? 0, to))),
    );
    const joined = joinStretches(stretches);
    expect(joined.frames).toHaveLength(streamFrames(samples));
    const apart = await decoded(joined);
    const coding = differenceDb(whole, pcm, 0, samples * channels);
    expect(differenceDb(apart, pcm, 0, samples * channels)).toBeLessThan(coding + 0.5);
    for (const cut of cuts.slice(1, -1)) {
      const [from, to] = [cut - 2, cut + 1].map((frame) => frame * frameSamples * channels);
      // No louder than what the encoder takes away anyway, nowhere near a click.
      const there = differenceDb(apart, pcm, from ?? 0, to ?? 0);
      expect(there).toBeLessThan(differenceDb(whole, pcm, from ?? 0, to ?? 0) + 2);
    }
  });

  it('replaces a part of a stream, and leaves the rest as it was', async () => {
    const pcm = sound(format, samples);
    const base = await encodeWhole(pcm, format);
    const [start, end] = [2 * sampleRate + 13, 3 * sampleRate + 640];
    const changed = pcm.slice();
    changed.set(sound(format, end - start, 1), start * channels);
    const span = framesAround(start, end);
    const spliced = spliceStretch(
      base,
      span,
      await encodeStretch(tools, part(changed, format, span.from, span.to)),
    );
    expect(spliced.frames).toHaveLength(base.frames.length);
    const kept = spliced.frames.filter((frame, n) => base.frames[n]?.equals(frame) === true).length;
    expect(kept).toBeGreaterThanOrEqual(base.frames.length - (span.to - span.from) - 4);

    const [before, after] = [await decoded(base), await decoded(spliced)];
    const at = (frame: number) => frame * frameSamples * channels;
    // Output of a frame needs the one before it.
    const untouched = at(span.from - 3);
    expect(after.subarray(0, untouched)).toEqual(before.subarray(0, untouched));
    expect(differenceDb(after, before, at(span.to + 2), before.length)).toBeLessThan(-81);
    // Where the changed sound begins and ends abruptly it is hard to encode, in one piece too.
    const atOnce = await decoded(await encodeWhole(changed, format));
    const places = [
      [start * channels, end * channels],
      ...[span.from, span.to].map((join) => [at(join - 3), at(join + 2)]),
    ];
    for (const [from = 0, to = 0] of places) {
      const usual = differenceDb(atOnce, changed, from, to);
      expect(differenceDb(after, changed, from, to)).toBeLessThan(Math.max(usual + 4, -50));
    }
  });

  it('makes an MP4 that is as long as its sound to the sample', async () => {
    const pcm = sound(format, samples);
    const path = join(dir, 'sound.m4a');
    const stream = await encodeWhole(pcm, format);
    await writeFile(path, writeM4a(stream, samples));
    const { streams, durationSeconds } = await probe(tools, path);
    expect(streams).toHaveLength(1);
    const [track] = streams;
    expect(track).toMatchObject({ codec: 'aac', profile: 'LC', channels, sampleRate });
    expect(track?.packets).toBe(streamFrames(samples));
    expect(track?.durationSeconds).toBeCloseTo(samples / sampleRate, 4);
    expect(durationSeconds).toBeCloseTo(samples / sampleRate, 3);
    const target = join(dir, 'played.f32');
    const raw = ['-f', 'f32le', '-y', target];
    await runFfmpeg(tools, { args: ['-i', path, ...raw], timeoutMs: 60_000 });
    const played = new Float32Array(new Uint8Array(await readFile(target)).buffer);
    const sure = await decoded(stream);
    // A decoder may give the last frame in full, but it begins on the first sample.
    expect(played.length / channels - samples).toBeGreaterThanOrEqual(0);
    expect(played.length / channels - samples).toBeLessThan(frameSamples);
    expect(differenceDb(played, sure, 0, samples * channels)).toBeLessThan(-120);
    expect(() => writeM4a(stream, samples + frameSamples)).toThrow(RangeError);
  });
});

describe('AAC streams', () => {
  const stereo: AacFormat = { sampleRate: 48_000, channels: 2 };

  it('lets a stretch be longer or shorter than what it replaces', async () => {
    const pcm = new Float32Array(2 * 48_000 * 2);
    const base = await encodeWhole(sound(stereo, 48_000 * 2), stereo);
    const stretch = await encodeStretch(tools, part(pcm, stereo, 20, 50));
    expect(spliceStretch(base, { from: 20, to: 31 }, stretch).frames).toHaveLength(base.frames.length + 19);
    expect(spliceStretch(base, { from: 0, to: 60 }, stretch).frames).toHaveLength(base.frames.length - 30);
    expect(() => spliceStretch(base, { from: 5, to: 999 }, stretch)).toThrow(RangeError);
  });

  it('refuses formats that differ, and what is no stream', async () => {
    const pcm = sound(stereo, 48_000);
    const base = await encodeWhole(pcm, stereo);
    const mono: AacFormat = { sampleRate: 48_000, channels: 1 };
    const other = await encodeStretch(tools, part(pcm, mono, 5, 20));
    expect(() => spliceStretch(base, { from: 5, to: 20 }, other)).toThrow(/formats differ/);
    const bytes = writeAdts(base);
    expect(() => readAdts(bytes.subarray(0, bytes.length - 1))).toThrow(/cut off/);
    expect(() => readAdts(bytes.subarray(1))).toThrow(/sync word/);
    expect(() => readAdts(Buffer.alloc(0))).toThrow(/empty/);
    expect(() => readAdts(Buffer.concat([bytes, writeAdts({ ...other, frames: other.frames })]))).toThrow(
      /changes/,
    );
  });

  it('never cuts where the two sides fade differently', async () => {
    const base = await encodeWhole(sound(stereo, 48_000 * 3), stereo);
    const tails = new Set(base.frames.map((frame) => windowTail(frame)?.slope));
    expect(tails).toContain('short');
    expect(tails).toContain('long');
    const find = (slope: string) => base.frames.find((frame) => windowTail(frame)?.slope === slope);
    const [long, short] = [find('long'), find('short')];
    if (!long || !short) throw new Error('the sound has both kinds of windows');
    expect(fadesOutLike(long, short)).toBe(false);
    const one = { ...stereo, frames: Array.from({ length: 12 }, () => long), leading: 2, trailing: 2 };
    const other = { ...one, frames: Array.from({ length: 12 }, () => short) };
    expect(() => joinStretches([one, other])).toThrow(/fit nowhere/);
    // Alike from the frame in front of the second candidate on.
    const late = { ...one, frames: [short, short, ...Array.from({ length: 10 }, () => long)] };
    expect(joinStretches([one, late]).frames).toHaveLength(8 + 8);
  });
});
