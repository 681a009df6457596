import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ArtifactStore } from '../../activities/artifacts.js';
import { createMixAudio } from '../../activities/media/audio/mix-audio.js';
import { planAudio } from '../../activities/media/audio/plan-audio.js';
import { layOutScenes } from '../../activities/media/captions/timeline.js';
import { runFfmpeg } from '../../activities/media/ffmpeg/run.js';
import { renderPicture } from '../../activities/media/intake/rendition.js';
import { toneUserPicture } from '../../activities/media/pictures/user-picture.js';
import { encodeWav } from '../../activities/tts/wav.js';
import { createFolderStore, createMemoryCache } from '../support/folder-store.js';
import { runActivity } from '../support/quiet-environment.js';

const tools = { ffmpegPath: 'ffmpeg', ffprobePath: 'ffprobe' };
let dir: string;
let artifacts: ArtifactStore;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'callsheet-own-'));
  artifacts = await createFolderStore(join(dir, 'artifacts'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe("a user's own picture", () => {
  const colours = { topLeft: '#e03030', topRight: '#30c040', bottomLeft: '#3050e0', bottomRight: '#e0c020' };

  /** Four fields of colour, so that what is cut off or turned shows. */
  function fields(width: number, height: number): Sharp {
    const field = (left: number, top: number, background: string) => ({
      input: { create: { width: width / 2, height: height / 2, channels: 3 as const, background } },
      left,
      top,
    });
    return sharp({ create: { width, height, channels: 3, background: '#000' } }).composite([
      field(0, 0, colours.topLeft),
      field(width / 2, 0, colours.topRight),
      field(0, height / 2, colours.bottomLeft),
      field(width / 2, height / 2, colours.bottomRight),
    ]);
  }

  async function shown(picture: Buffer, width: number, height: number, mirrored = false) {
    const upload = join(dir, 'upload');
    await writeFile(upload, picture);
    const { bytes, extension } = await renderPicture(upload);
    const path = join(dir, `rendition.${extension}`);
    await writeFile(path, bytes);
    const canvas = { width, height };
    const request = { path, theme: 'midnight', width, height, canvas, mirrored } as const;
    const drawn = await toneUserPicture({ ...request, captionsBurned: true, textBottom: 0.4 });
    const { data } = await sharp(drawn.bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    return (x: number, y: number) => {
      const at = 3 * (Math.round(y * height) * width + Math.round(x * width));
      return [data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0];
    };
  }

  const far = (pixel: number[], hex: string) =>
    Math.max(...pixel.map((v, n) => Math.abs(v - Number.parseInt(hex.slice(1 + 2 * n, 3 + 2 * n), 16))));

  it.each([
    ['portrait in a wide frame', false, 1],
    ['portrait that its camera turned', false, 6],
    ['portrait beside text on the right', true, 1],
  ])('is shown whole and in its own colours beside the text: %s', async (_what, mirrored, orientation) => {
    // Orientation 6 is shown turned clockwise, so that it lies turned the other way.
    const upright = await fields(600, 900).png().toBuffer();
    const lying = orientation === 6 ? sharp(upright).rotate(270) : sharp(upright);
    const photo = await lying.withMetadata({ orientation }).jpeg({ quality: 95 }).toBuffer();
    const pixel = await shown(photo, 1280, 720, mirrored);
    const middle = mirrored ? 0.195 : 0.805;
    for (const [x, y, colour] of [
      [middle - 0.04, 0.3, colours.topLeft],
      [middle + 0.04, 0.3, colours.topRight],
      [middle - 0.04, 0.6, colours.bottomLeft],
      [middle + 0.04, 0.6, colours.bottomRight],
    ] as const) {
      expect([colour, far(pixel(x, y), colour)]).toEqual([colour, expect.toSatisfy((n: number) => n < 16)]);
    }
    // Behind text it is its own colours, blurred and dark.
    expect(Math.max(...pixel(mirrored ? 0.7 : 0.3, 0.5))).toBeLessThan(130);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('is turned upright as its camera says (%i)', async (orientation) => {
    const photo = await sharp(await fields(60, 40).png().toBuffer())
      .withMetadata({ orientation })
      .jpeg({ quality: 100 })
      .toBuffer();
    const path = join(dir, `orientation-${orientation}.jpg`);
    await writeFile(path, photo);
    const made = await renderPicture(path);
    const wanted = await sharp(photo).autoOrient().raw().toBuffer({ resolveWithObject: true });
    const found = await sharp(made.bytes).raw().toBuffer({ resolveWithObject: true });
    expect([made.width, made.height]).toEqual([wanted.info.width, wanted.info.height]);
    expect(found.info).toMatchObject({ width: wanted.info.width, height: wanted.info.height });
    const difference = wanted.data.reduce((sum, v, n) => sum + Math.abs(v - (found.data[n] ?? 0)), 0);
    expect(difference / wanted.data.length).toBeLessThan(2);
  });

  it('that lies across fills a wide frame, and is whole below the text of a tall one', async () => {
    const photo = await fields(1200, 800).jpeg({ quality: 95 }).toBuffer();
    const wide = await shown(photo, 1280, 720);
    expect(far(wide(0.97, 0.3), colours.topRight)).toBeLessThan(70);
    const tall = await shown(photo, 720, 1280);
    expect(far(tall(0.3, 0.52), colours.topLeft)).toBeLessThan(16);
    expect(far(tall(0.7, 0.68), colours.bottomRight)).toBeLessThan(16);
  });

  it('with transparent parts stands on a plate that it can be told from', async () => {
    const logo = (colour: string) =>
      sharp(
        Buffer.from(
          `<svg xmlns="http://www.w3.org/2000/svg" width="300" height="300"><circle cx="150" cy="150" r="100" fill="${colour}"/></svg>`,
        ),
      )
        .png()
        .toBuffer();
    for (const [colour, plate] of [
      ['#ffffff', '#15181f'],
      ['#102030', '#ffffff'],
    ] as const) {
      const pixel = await shown(await logo(colour), 1280, 720);
      expect(far(pixel(0.805, 0.425), colour)).toBeLessThan(16);
      expect(far(pixel(0.7, 0.3), plate)).toBeLessThan(16);
    }
  });
});

describe("a user's own music", () => {
  it('is repeated to the end and gives way to the voice', async () => {
    const path = join(dir, 'tone.mp3');
    const tone = ['-f', 'lavfi', '-i', 'sine=f=3000:d=5', '-c:a', 'libmp3lame', path];
    await runFfmpeg(tools, { args: tone, timeoutMs: 60_000 });
    const artifact = await artifacts.publishFile(path, 'mp3');
    const rate = 48_000;
    // A buzz far below the tone of the music.
    const voice = Int16Array.from({ length: 4 * rate }, (_, n) => {
      const syllable = 0.3 + Math.sin((Math.PI * 3.5 * n) / rate) ** 2;
      return Math.round(9_000 * syllable * Math.cos((2 * Math.PI * 140 * n) / rate));
    });
    const audio = await artifacts.publishBytes(encodeWav(voice, rate), 'wav');
    const voices = [1, 2].map(() => ({ audio, samples: voice.length, words: [], phonemes: [] }));
    const timeline = layOutScenes({
      voiceSamples: voices.map((v) => v.samples),
      transition: 'fade',
      fps: 30,
    });
    const plan = planAudio({ ...timeline, voices, fps: 30, music: { artifact, volumeDb: 0 } });
    const clips = plan.clips.map((clip, n) => ({ ...clip, startSample: clip.startSample + n * 4 * rate }));
    const samples = plan.samples + 8 * rate;
    const composition = await artifacts.publishJson({ audio: { ...plan, samples, clips } });
    const mixAudio = createMixAudio({
      artifacts,
      cache: createMemoryCache(),
      scratchDir: join(dir, 'scratch'),
      tools,
    });
    const mixed = await runActivity(mixAudio, { jobId: 'j', userId: 'u', composition });
    const raw = join(dir, 'mix.f32');
    const decode = [
      '-i',
      await artifacts.fetch(mixed.audio),
      '-f',
      'f32le',
      '-ac',
      '1',
      '-ar',
      String(rate),
      raw,
    ];
    await runFfmpeg(tools, { args: decode, timeoutMs: 60_000 });
    const pcm = new Float32Array(new Uint8Array(await readFile(raw)).buffer);

    /** Level of the tone over a stretch, in dB. */
    const level = (from: number, to: number) => {
      let [re, im] = [0, 0];
      for (let n = from; n < to; n += 1) {
        re += (pcm[n] ?? 0) * Math.cos((2 * Math.PI * 3_000 * n) / rate);
        im += (pcm[n] ?? 0) * Math.sin((2 * Math.PI * 3_000 * n) / rate);
      }
      return 20 * Math.log10((2 * Math.hypot(re, im)) / (to - from) + 1e-12);
    };
    const steady = (from: number, to: number) => {
      const levels: number[] = [];
      for (let at = from; at + 2_400 <= to; at += 2_400) levels.push(level(at, at + 2_400));
      return levels.reduce((sum, one) => sum + one, 0) / levels.length;
    };
    const [first, second] = clips;
    if (first === undefined || second === undefined) throw new Error('two clips were planned');
    const firstEnd = first.startSample + first.samples;
    const secondEnd = second.startSample + second.samples;
    const under = steady(first.startSample + rate, firstEnd - rate / 2);
    const inPause = steady(firstEnd + 1.5 * rate, second.startSample - rate / 10);
    const atEnd = steady(secondEnd + 1.5 * rate, samples - 3 * rate);
    expect(inPause - under).toBeGreaterThan(6);
    expect(Math.abs(atEnd - inPause)).toBeLessThan(3);
    expect(samples).toBeGreaterThan(14 * rate);
  });
});
