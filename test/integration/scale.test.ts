import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ArtifactStore } from '../../activities/artifacts.js';
import { createMediaActivities } from '../../activities/media/activities.js';
import type { Composition, Layer } from '../../activities/media/composition.js';
import { ffmpegArguments, fileName } from '../../activities/media/ffmpeg/command.js';
import { probe, runFfmpeg } from '../../activities/media/ffmpeg/run.js';
import { frameSize } from '../../activities/media/frame-size.js';
import { createSlidesProvider } from '../../activities/media/pictures/slides.js';
import { renderUnits } from '../../activities/media/render-units.js';
import { createFontSet } from '../../activities/media/text/font-set.js';
import { encodeWav } from '../../activities/tts/wav.js';
import type { PictureDocument, ScriptDocument, VoiceDocument } from '../../workflows/contract/documents.js';
import type { ExplainerOptions } from '../../workflows/contract/options.js';
import { createSample, sampleOptions } from '../bench/media-sample.js';
import { noRecipients } from '../support/no-recipients.js';
import { createFolderStore, createMemoryCache } from '../support/folder-store.js';
import { runActivity } from '../support/quiet-environment.js';

const tools = { ffmpegPath: 'ffmpeg', ffprobePath: 'ffprobe' };
const ids = { jobId: 'job', userId: 'user' };
const perFrame = 1600;
/** 4K frames on a machine that does other things as well. */
vi.setConfig({ testTimeout: 180_000 });
let folder: string;
let artifacts: ArtifactStore;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'callsheet-scale-'));
  artifacts = await createFolderStore(join(folder, 'artifacts'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const pictureProviders = { slides: createSlidesProvider(createFontSet()) };

function activities(store = artifacts, fontconfigFile = '') {
  const cache = createMemoryCache();
  const scratchDir = join(folder, 'scratch');
  return createMediaActivities({
    artifacts: store,
    cache,
    tools,
    scratchDir,
    fontconfigFile,
    pictureProviders,
    ...noRecipients,
  });
}

const flat = async (colour: string, width: number, height: number) =>
  artifacts.publishBytes(
    await sharp({ create: { width, height, channels: 4, background: colour } })
      .png()
      .toBuffer(),
    'png',
  );

function layer(artifact: string, fit: Layer['fit'], inFrame = 0): Layer {
  const still = { kind: 'none' as const, seed: 0 };
  return { artifact, fit, motion: still, position: { x: 0, y: 0 }, inFrame, fadeInFrames: 0 };
}

/** A buzz that is there at full level from its first sample to its last. */
const buzz = (samples: number) =>
  Int16Array.from(
    { length: samples },
    (_, n) => 12_000 * Math.sign(Math.sin((2 * Math.PI * 700 * (n + 1)) / 48_000)),
  );

/** Everything from a composition to the file, with the store of the activities. */
async function make(media: ReturnType<typeof activities>, store: ArtifactStore, composition: Composition) {
  const id = await store.publishJson(composition);
  const units: string[] = [];
  for (const index of composition.segments.keys()) {
    units.push(...(await runActivity(media.renderSegment, { ...ids, composition: id, index })).units);
  }
  const { audio } = await runActivity(media.mixAudio, { ...ids, composition: id });
  const { video } = await runActivity(media.assemble, { ...ids, composition: id, units, audio });
  return store.fetch(video);
}

/** @param from seconds at which decoding begins. */
async function decode(path: string, output: string[], from = 0): Promise<Buffer> {
  const args = ffmpegArguments({
    inputs: [{ source: fileName(path), options: ['-ss', String(from), '-err_detect', 'explode'] }],
    outputs: [{ target: 'pipe:1', options: output }],
  });
  return (await runFfmpeg(tools, { args, timeoutMs: 120_000, collectOutput: { maxBytes: 2e9 } })).stdout;
}

describe('three minutes', () => {
  it('end together and stay aligned to the last', async () => {
    const [red, blue, white] = [
      await flat('#a02020', 160, 90),
      await flat('#2020a0', 160, 90),
      await flat('#fff', 32, 32),
    ];
    const overlap = 15;
    const length = 31 * 30;
    const segments = Array.from({ length: 6 }, (_, n) => ({
      startFrame: n * (length - overlap),
      frames: length,
      // The mark of the last scene comes in half a minute after it began.
      layers: [layer(n % 2 ? blue : red, 'cover'), ...(n === 5 ? [layer(white, 'none', 880)] : [])],
      transitionIn: { kind: 'fade' as const, frames: n === 0 ? 0 : overlap },
    }));
    const totalFrames = 5 * (length - overlap) + length;
    const markFrame = 5 * (length - overlap) + 880;
    const voice = await artifacts.publishBytes(encodeWav(buzz(24_000), 48_000), 'wav');
    const clips = [30, 2700, markFrame].map((frame) => ({
      ...{ artifact: voice, startSample: frame * perFrame, samples: 24_000, gainDb: 0, fadeSamples: 96 },
    }));
    const audio = {
      samples: totalFrames * perFrame,
      clips,
      music: null,
      loudnessLufs: -14,
      truePeakDbtp: -1,
    };
    const composition: Composition = { width: 160, height: 90, fps: 30, segments, captions: null, audio };
    const path = await make(activities(), artifacts, composition);

    const { streams } = await probe(tools, path);
    const ends = streams.map((stream) => (stream.startSeconds ?? 0) + (stream.durationSeconds ?? 0));
    expect(ends[0]).toBeGreaterThan(180);
    expect(Math.abs((ends[0] ?? 0) - (ends[1] ?? 0))).toBeLessThan(1 / 30);

    const raw = await decode(path, ['-map', '0:v', '-f', 'rawvideo', '-fps_mode', 'passthrough']);
    const bytes = (160 * 90 * 3) / 2;
    expect(raw.length).toBe(totalFrames * bytes);
    const marked = Array.from(
      { length: totalFrames },
      (_, frame) => (raw[frame * bytes + 16 * 160 + 16] ?? 0) > 200,
    );
    expect(marked.indexOf(true)).toBe(markFrame);

    const pcm = await decode(path, ['-map', '0:a', '-f', 'f32le', '-ac', '1']);
    const sound = new Float32Array(new Uint8Array(pcm).buffer);
    expect(Math.abs(sound.length - totalFrames * perFrame)).toBeLessThan(1024);
    const onset = (from: number) =>
      from + sound.subarray(from).findIndex((sample) => Math.abs(sample) > 0.05);
    for (const { startSample } of clips) {
      expect(Math.abs(onset(startSample - 24_000) - startSample)).toBeLessThan(240);
    }
  });
});

describe('a hundred scenes', () => {
  const options: ExplainerOptions = {
    ...sampleOptions,
    resolution: '720p',
    transition: 'cut',
    motion: 'none',
  };

  /** Planned as the workflow does it; every message is as small as a history wants it. */
  async function plan(sceneCount: number) {
    const narration = 'Twice a day the sea rises.';
    const timings = narration.split(' ').map((text, n) => {
      const charStart = narration.indexOf(text);
      const startSeconds = n * 0.25;
      return {
        text,
        startSeconds,
        endSeconds: startSeconds + 0.2,
        charStart,
        charEnd: charStart + text.length,
      };
    });
    const pcm = buzz(1.5 * 48_000);
    const audio = await artifacts.publishBytes(encodeWav(pcm, 48_000), 'wav');
    const voice: VoiceDocument = { audio, samples: pcm.length, words: timings, phonemes: [] };
    const background = await flat('#204060', 160, 90);
    const picture: PictureDocument = { background, overlays: [] };
    const script: ScriptDocument = {
      ...{ title: 'Tides', description: 'Tides', language: 'en', message: null },
      scenes: Array.from({ length: sceneCount }, (_, n) => ({
        ...{ number: n + 1, heading: 'Tides', narration, bullets: [], imagePrompt: '', imageArtifact: null },
      })),
    };
    const voices = Array.from({ length: sceneCount }, () => voice);
    const media = activities();
    const input = {
      ...ids,
      options,
      script: await artifacts.publishJson(script),
      voices: await Promise.all(voices.map((one) => artifacts.publishJson(one))),
      pictures: await Promise.all(voices.map(() => artifacts.publishJson(picture))),
    };
    const timed = await runActivity(media.timeCaptions, input);
    const planned = await runActivity(media.planComposition, { ...input, captions: timed.captions });
    for (const message of [input, timed, planned])
      expect(JSON.stringify(message).length).toBeLessThan(64 * 1024);
    return { media, id: planned.composition, planned };
  }

  async function costOf<T>(work: () => Promise<T>) {
    globalThis.gc?.();
    const [before, resident] = [process.cpuUsage(), process.memoryUsage().rss];
    let highest = resident;
    const watch = setInterval(() => (highest = Math.max(highest, process.memoryUsage().rss)), 20);
    const result = await work();
    clearInterval(watch);
    const { user, system } = process.cpuUsage(before);
    return { seconds: (user + system) / 1e6, growth: highest - resident, result };
  }

  it('are planned, captioned and mixed in proportion and in flat memory', async () => {
    await plan(3);
    const [few, many] = [await costOf(() => plan(10)), await costOf(() => plan(100))];
    expect(many.seconds / few.seconds).toBeLessThan(15);
    const [ten, hundred] = [few.result, many.result];
    expect(hundred.planned.segmentFrames).toHaveLength(100);
    const mix = (one: typeof ten) =>
      costOf(() => runActivity(one.media.mixAudio, { ...ids, composition: one.id }));
    await mix(ten);
    const again = await plan(11);
    const [short, long] = [await mix(again), await mix(hundred)];
    expect(long.seconds / short.seconds).toBeLessThan(12);
    // The mix of four minutes is 90 MB of samples; what stands in memory is a second of it.
    expect(long.growth).toBeLessThan(60 * 1024 ** 2);
    const units = renderUnits(await artifacts.readJson<Composition>(hundred.id));
    expect(units.every((unit) => JSON.stringify(unit).length < 64 * 1024)).toBe(true);
    const captioned = units.flatMap((unit) => unit.captions?.cues ?? []);
    expect(captioned.length).toBeGreaterThanOrEqual(100);
  });
});

describe('every kind of video', () => {
  const kinds: Partial<ExplainerOptions>[] = [
    { resolution: '4k', theme: 'midnight', transition: 'fade', captions: { mode: 'both', style: 'karaoke' } },
    {
      aspectRatio: '9:16',
      theme: 'paper',
      transition: 'slide',
      captions: { mode: 'burned', style: 'boxed' },
    },
    {
      aspectRatio: '1:1',
      theme: 'aurora',
      transition: 'cut',
      motion: 'none',
      captions: { mode: 'burned', style: 'classic' },
    },
    { theme: 'paper', transition: 'fade', captions: { mode: 'sidecar', style: 'classic' }, music: null },
  ];

  it.each(kinds)('decodes whole, in its size and length: %o', async (kind) => {
    const options = { ...sampleOptions, resolution: '720p' as const, ...kind };
    const dir = await mkdtemp(join(folder, 'kind-'));
    const sample = await createSample(dir, tools, { options, sceneCount: 2 });
    const store = sample.deps.artifacts;
    const media = activities(store, sample.deps.fontconfigFile);
    const { script, pictures, voices } = sample;
    const { captions } = await runActivity(media.timeCaptions, { ...ids, script, voices, options });
    const planned = await runActivity(media.planComposition, { ...ids, pictures, voices, captions, options });
    const whole = await store.readJson<Composition>(planned.composition);
    const composition = shortened(whole, 24);
    const path = await make(media, store, composition);
    const frames = renderUnits(composition).reduce((sum, unit) => sum + unit.frames, 0);

    const { width, height } = frameSize(options.aspectRatio, options.resolution);
    const { streams } = await probe(tools, path);
    expect(streams[0]).toMatchObject({
      codec: 'h264',
      profile: 'High',
      width,
      height,
      packets: frames,
      frameRate: 30,
    });
    expect(streams[1]?.durationSeconds).toBeCloseTo(frames / 30, 3);
    const pick = [
      '-map',
      '0:v',
      '-vf',
      "select='eq(n,20)',scale=320:320:force_original_aspect_ratio=decrease",
    ];
    const picture = await decode(path, [...pick, '-c:v', 'png', '-f', 'image2pipe']);
    const { channels } = await sharp(picture).stats();
    expect(Math.max(...channels.map((channel) => channel.stdev))).toBeGreaterThan(8);
  });

  /** The first scenes for so many frames each, with what is said meanwhile. */
  function shortened(whole: Composition, frames: number): Composition {
    let startFrame = 0;
    const segments = whole.segments.map((segment) => {
      const short = { ...segment, frames, startFrame };
      startFrame += frames - (whole.segments[1]?.transitionIn.frames ?? 0);
      return short;
    });
    const last = segments.at(-1);
    const samples = ((last?.startFrame ?? 0) + frames) * perFrame;
    const clips = whole.audio.clips
      .slice(0, 1)
      .map((clip) => ({ ...clip, samples: Math.min(clip.samples, samples - clip.startSample) }));
    return { ...whole, segments, audio: { ...whole.audio, samples, clips } };
  }
});
