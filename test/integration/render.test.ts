import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ArtifactStore } from '../../activities/artifacts.js';
import { createAssemble } from '../../activities/media/assemble.js';
import type { Composition, Layer, RenderUnit } from '../../activities/media/composition.js';
import { collectFrames } from '../../activities/media/compositor/compose-frames.js';
import { createPictureLoader, type PictureLoader } from '../../activities/media/compositor/picture-loader.js';
import { createDrawThumbnail } from '../../activities/media/draw-thumbnail.js';
import { ffmpegArguments, fileName } from '../../activities/media/ffmpeg/command.js';
import { probe, runFfmpeg } from '../../activities/media/ffmpeg/run.js';
import { createRenderSegment } from '../../activities/media/render-segment.js';
import { renderUnits } from '../../activities/media/render-units.js';
import { createFolderStore, createMemoryCache } from '../support/folder-store.js';
import { createQuietEnvironment, runActivity } from '../support/quiet-environment.js';

const tools = { ffmpegPath: 'ffmpeg', ffprobePath: 'ffprobe' };
const ids = { jobId: 'job', userId: 'user' };
const size = { width: 320, height: 180, fps: 30 };
let folder: string;
let artifacts: ArtifactStore;
let loader: PictureLoader;
const picture = { red: '', blue: '', spot: '', white: '' };

const flat = (colour: string, width: number, height: number) =>
  sharp({ create: { width, height, channels: 4, background: colour } });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'callsheet-render-'));
  artifacts = await createFolderStore(join(folder, 'artifacts'));
  loader = createPictureLoader(artifacts);
  const publish = async (image: Sharp) => artifacts.publishBytes(await image.png().toBuffer(), 'png');
  picture.red = await publish(flat('#d02020', 640, 360));
  picture.blue = await publish(flat('#2030c0', 100, 300));
  picture.white = await publish(flat('#ffffff', 40, 30));
  const spot = `<svg xmlns="http://www.w3.org/2000/svg" width="704" height="396"><defs><radialGradient id="g">
    <stop offset="0" stop-color="#fff"/><stop offset="1" stop-color="#000"/></radialGradient></defs>
    <rect width="704" height="396"/><circle cx="560" cy="300" r="40" fill="url(#g)"/></svg>`;
  picture.spot = await publish(sharp(Buffer.from(spot)));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const cover = (artifact: string, kind: 'none' | 'kenburns' = 'none', seed = 0): Layer => ({
  ...{
    artifact,
    fit: 'cover',
    motion: { kind, seed },
    position: { x: 0, y: 0 },
    inFrame: 0,
    fadeInFrames: 0,
  },
});
const overlay = (artifact: string, x: number, y: number, inFrame: number): Layer => ({
  ...{
    artifact,
    fit: 'none',
    motion: { kind: 'none', seed: 0 },
    position: { x, y },
    inFrame,
    fadeInFrames: 4,
  },
});
const still = (frames: number, ...layers: Layer[]): RenderUnit => ({
  ...{ ...size, frames, transition: null, captions: null },
  shots: [{ layers, sceneFrames: frames, offset: 0 }],
});

async function frames(unit: RenderUnit): Promise<Buffer[]> {
  return (await collectFrames(unit, [], loader)).map((frame) => Buffer.from(frame));
}

/** Luma and both chroma values of a pixel. */
function pixel(frame: Buffer | undefined, unit: RenderUnit, x: number, y: number): number[] {
  const { width, height } = unit;
  const chroma = width * height + (y >> 1) * (width / 2) + (x >> 1);
  return [y * width + x, chroma, chroma + (width * height) / 4].map((offset) => frame?.[offset] ?? -1);
}

/** ITU-R BT.709, limited range. */
function bt709(r: number, g: number, b: number): number[] {
  const luma = 0.2126 * r + 0.7152 * g + 0.0722 * b;
  const values = [
    16 + (219 * luma) / 255,
    128 + (224 * (b - luma)) / 1.8556 / 255,
    128 + (224 * (r - luma)) / 1.5748 / 255,
  ];
  return values.map(Math.round);
}

async function decode(path: string, ...options: string[]): Promise<Buffer> {
  const args = ffmpegArguments({
    inputs: [{ source: fileName(path), options }],
    outputs: [{ target: 'pipe:1', options: ['-map', '0:v', '-f', 'rawvideo', '-fps_mode', 'passthrough'] }],
  });
  return (await runFfmpeg(tools, { args, timeoutMs: 60_000, collectOutput: { maxBytes: 1e9 } })).stdout;
}

describe('composed frames', () => {
  it.each([
    [320, 180],
    [1080, 1920],
    [720, 720],
  ])('have exact colours to the edges at %i × %i', async (width, height) => {
    for (const kind of ['none', 'kenburns'] as const) {
      const unit = { ...still(2, cover(picture.blue, kind, 3)), width, height };
      const [first, second] = await frames(unit);
      const expected = bt709(0x20, 0x30, 0xc0);
      for (const [x, y] of [
        [0, 0],
        [width - 1, 0],
        [width - 2, height - 1],
        [width >> 1, height >> 1],
      ] as const) {
        expect(pixel(first, unit, x, y)).toEqual(expected);
        expect(pixel(second, unit, x, y)).toEqual(expected);
      }
    }
  });

  it('mix both scenes in the middle of a fade and push in a slide', async () => {
    const shots = [picture.red, picture.blue].map((id) => ({
      layers: [cover(id)],
      sceneFrames: 9,
      offset: 0,
    }));
    const unit = { ...still(9), shots };
    const fade = await frames({ ...unit, transition: 'fade' });
    const [from, to] = [bt709(0xd0, 0x20, 0x20), bt709(0x20, 0x30, 0xc0)];
    const middle = pixel(fade[4], unit, 100, 90);
    for (const [i, value] of middle.entries()) {
      expect(Math.abs(value - ((from[i] ?? 0) + (to[i] ?? 0)) / 2)).toBeLessThanOrEqual(1);
    }
    const slide = await frames({ ...unit, transition: 'slide' });
    expect(pixel(slide[4], unit, 140, 90)).toEqual(from);
    expect(pixel(slide[4], unit, 180, 90)).toEqual(to);
  });

  it('show an overlay from its frame on, where it belongs, over a picture that moves', async () => {
    const unit = still(20, cover(picture.red, 'kenburns', 1), overlay(picture.white, 101, 51, 10));
    const all = await frames(unit);
    const under = bt709(0xd0, 0x20, 0x20);
    expect(pixel(all[9], unit, 120, 60)).toEqual(under);
    const growing = [10, 11, 12, 13, 14].map((n) => pixel(all[n], unit, 120, 60)[0] ?? 0);
    expect(growing).toEqual([...growing].sort((a, b) => a - b));
    expect(growing[4]).toBe(235);
    expect([pixel(all[19], unit, 100, 60)[0], pixel(all[19], unit, 141, 60)[0]]).toEqual([
      under[0],
      under[0],
    ]);
    expect([pixel(all[19], unit, 101, 51)[0], pixel(all[19], unit, 140, 80)[0]]).toEqual([235, 235]);
  });

  it('move by fractions of a pixel, evenly', async () => {
    const unit = still(120, cover(picture.spot, 'kenburns', 2));
    const centres = (await frames(unit)).map((frame) => {
      let [sum, moment] = [0, 0];
      for (let y = 0; y < size.height; y++) {
        for (let x = 160; x < size.width; x++) {
          const light = (frame[y * size.width + x] ?? 16) - 16;
          sum += light;
          moment += light * x;
        }
      }
      return moment / sum;
    });
    const steps = centres.slice(1).map((x, i) => x - (centres[i] ?? 0));
    const mean = steps.reduce((a, b) => a + b, 0) / steps.length;
    expect(Math.abs(mean)).toBeGreaterThan(0.01);
    // Whole-pixel stepping would give steps of 0 and 1.
    for (const step of steps) expect(Math.abs(step - mean)).toBeLessThan(0.06);
  });

  it('refuses what is no picture', async () => {
    const bad = await artifacts.publishBytes(Buffer.from('<not> a picture'), 'png');
    await expect(frames(still(2, cover(bad)))).rejects.toMatchObject({
      type: 'bad_picture',
      nonRetryable: true,
    });
  });
});

describe('a whole video', () => {
  const composition = (seconds: number[]): Composition => {
    const overlap = 15;
    let start = 0;
    const segments = seconds.map((length, index) => {
      const segment = {
        ...{ startFrame: start, frames: Math.round(length * 30) },
        layers: [cover([picture.red, picture.blue, picture.spot][index % 3] ?? '', 'kenburns', index)],
        transitionIn: { kind: 'fade' as const, frames: index === 0 ? 0 : overlap },
      };
      start += segment.frames - overlap;
      return segment;
    });
    const audio = {
      samples: (start + overlap) * 1600,
      clips: [],
      music: null,
      loudnessLufs: -14,
      truePeakDbtp: -1,
    };
    return { ...size, segments, captions: null, audio };
  };

  async function make(plan: Composition) {
    const cache = createMemoryCache();
    const deps = { artifacts, cache, tools, scratchDir: join(folder, 'scratch'), fontconfigFile: '' };
    const id = await artifacts.publishJson(plan);
    const renderSegment = createRenderSegment(deps);
    const units: string[] = [];
    for (const index of plan.segments.keys()) {
      units.push(...(await runActivity(renderSegment, { ...ids, composition: id, index })).units);
    }
    const sound = join(folder, 'sound.m4a');
    const tone = `sine=f=440:r=48000:d=${plan.audio.samples / 48_000}`;
    const args = ['-f', 'lavfi', '-i', tone, '-c:a', 'aac', '-ac', '2', '-y', sound];
    await runFfmpeg(tools, { args, timeoutMs: 60_000 });
    const audio = await artifacts.publishFile(sound, 'm4a');
    const result = await runActivity(createAssemble(deps), { ...ids, composition: id, units, audio });
    return { ...result, composition: id, units, audio, deps, path: await artifacts.fetch(result.video) };
  }

  it('joins to exactly its frames, with an IDR picture on every unit', async () => {
    const plan = composition([2, 1.5, 3]);
    const units = renderUnits(plan);
    const { path, durationSeconds } = await make(plan);
    const total = units.reduce((sum, unit) => sum + unit.frames, 0);
    expect(durationSeconds).toBeCloseTo(total / 30, 6);
    const { streams } = await probe(tools, path);
    expect(streams[0]).toMatchObject({
      ...{ codec: 'h264', profile: 'High', pixelFormat: 'yuv420p', packets: total, startSeconds: 0 },
      ...{
        frameRate: 30,
        averageFrameRate: 30,
        colorSpace: 'bt709',
        colorRange: 'tv',
        colorPrimaries: 'bt709',
      },
    });
    const decoded = await decode(path);
    const bytes = (size.width * size.height * 3) / 2;
    expect(decoded.length).toBe(total * bytes);
    const keys = await decode(path, '-skip_frame', 'nokey');
    const keyFrames = Array.from({ length: keys.length / bytes }, (_, n) =>
      keys.subarray(n * bytes, (n + 1) * bytes),
    );
    let at = 0;
    for (const unit of units) {
      const first = decoded.subarray(at * bytes, (at + 1) * bytes);
      expect(keyFrames.some((frame) => frame.equals(first))).toBe(true);
      const raw = await frames(unit);
      for (const n of [0, unit.frames - 1]) {
        const shown = decoded.subarray((at + n) * bytes, (at + n + 1) * bytes);
        expect(meanDifference(shown, raw[n] ?? Buffer.alloc(bytes))).toBeLessThan(2);
      }
      at += unit.frames;
    }
    // The index stands before the media, so that playing starts with the first bytes.
    const file = await readFile(path);
    expect(file.indexOf('moov')).toBeLessThan(file.indexOf('mdat'));
  });

  it('has a thumbnail that shows a scene', async () => {
    const { composition: id, video, deps } = await make(composition([2, 2, 2]));
    const { thumbnail } = await runActivity(createDrawThumbnail(deps), { ...ids, composition: id, video });
    const image = sharp(await artifacts.readBytes(thumbnail));
    expect(await image.metadata()).toMatchObject({ format: 'webp', width: 320, height: 180 });
    const { channels } = await image.stats();
    expect(Math.max(...channels.map((channel) => channel.stdev))).toBeGreaterThan(5);
  });

  it('joins segments of different encoders all the same', async () => {
    const plan = composition([2, 1.5, 3]);
    const { deps, composition: id, units, audio } = await make(plan);
    const [first = '', second = '', ...rest] = units;
    // Another encoder has other parameter sets.
    const foreign = join(folder, 'foreign.mp4');
    const args = ['-i', await artifacts.fetch(second), '-c:v', 'libx264', '-refs', '4', '-y', foreign];
    await runFfmpeg(tools, { args, timeoutMs: 30_000 });
    const mixed = [first, await artifacts.publishFile(foreign, 'mp4'), ...rest];
    const input = { ...ids, composition: id, units: mixed, audio };
    const { video } = await runActivity(createAssemble({ ...deps, cache: createMemoryCache() }), input);
    const decoded = await decode(await artifacts.fetch(video));
    const bytes = (size.width * size.height * 3) / 2;
    let at = 0;
    for (const unit of renderUnits(plan)) {
      const [raw] = await frames(unit);
      const shown = decoded.subarray(at * bytes, (at + 1) * bytes);
      expect(meanDifference(shown, raw ?? Buffer.alloc(bytes))).toBeLessThan(2);
      at += unit.frames;
    }
    expect(decoded.length).toBe(at * bytes);
  });

  it('fails cleanly when the encoder is killed or the disk is full, and works the next time', async () => {
    const id = await artifacts.publishJson(composition([4]));
    const [scratchDir, cache] = [join(folder, 'dying'), createMemoryCache()];
    const script = join(folder, 'dying-ffmpeg');
    const before = await readdir(join(folder, 'artifacts'));
    const renderWith = (ffmpegPath: string) => {
      const deps = { artifacts, cache, tools: { ...tools, ffmpegPath }, scratchDir, fontconfigFile: '' };
      return runActivity(createRenderSegment(deps), { ...ids, composition: id, index: 0 });
    };
    const dies = (how: string) =>
      writeFile(
        script,
        `#!/bin/bash\ncase "$*" in *pipe:0*) head -c 999999 > /dev/null; ${how};; *) exec ffmpeg "$@";; esac\n`,
        { mode: 0o755 },
      );
    await dies('kill -9 $$');
    await expect(renderWith(script)).rejects.toMatchObject({ type: 'ffmpeg_failed', nonRetryable: false });
    await dies("echo 'No space left on device' >&2; exit 1");
    await expect(renderWith(script)).rejects.toMatchObject({ type: 'disk_full', nonRetryable: false });
    expect(await readdir(join(folder, 'artifacts'))).toEqual(before);
    expect(await readdir(join(scratchDir, String(process.pid)))).toEqual([]);
    expect((await renderWith('ffmpeg')).cached).toBe(false);
  });

  it('leaves nothing behind when it is called off in the middle', async () => {
    const plan: Composition = { ...composition([60]), width: 1920, height: 1080 };
    const id = await artifacts.publishJson(plan);
    const scratchDir = join(folder, 'cancelled');
    const cache = createMemoryCache();
    const renderSegment = createRenderSegment({ artifacts, cache, tools, scratchDir, fontconfigFile: '' });
    const before = await readdir(join(folder, 'artifacts'));
    const environment = createQuietEnvironment();
    const run = runActivity(renderSegment, { ...ids, composition: id, index: 0 }, environment);
    const outcome = run.catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const started = Date.now();
    environment.cancel();
    expect(await outcome).toBeInstanceOf(Error);
    expect(Date.now() - started).toBeLessThan(10_000);
    expect(cache.made).toEqual([]);
    expect(await readdir(join(folder, 'artifacts'))).toEqual(before);
    expect(await readdir(join(scratchDir, String(process.pid)))).toEqual([]);
  });
});

function meanDifference(a: Buffer, b: Buffer): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs((a[i] ?? 0) - (b[i] ?? 0));
  return sum / a.length;
}
