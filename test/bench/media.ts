/**
 * The media work of a ten-scene explainer (pictures to motion, captions, fades, sound, encoding, joining)
 * against one plain `libx264 -preset veryfast -crf 23` encode of exactly the same frames, in CPU seconds of
 * this process and the programs that it starts. The built-in music, made once for all jobs, is made before. Run: `node --import tsx test/bench/media.ts [pairs] [scenes]`.
 */
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createMediaActivities } from '../../activities/media/activities.js';
import type { Composition } from '../../activities/media/composition.js';
import { drawCaptionStrips } from '../../activities/media/captions/strips.js';
import { composeFrames } from '../../activities/media/compositor/compose-frames.js';
import { createPictureLoader } from '../../activities/media/compositor/picture-loader.js';
import { ffmpegArguments, fileName } from '../../activities/media/ffmpeg/command.js';
import type { GenerationCache } from '../../activities/cached.js';
import { prepareMusic } from '../../activities/media/audio/music.js';
import { encoderName, runFfmpeg } from '../../activities/media/ffmpeg/run.js';
import { renderUnits } from '../../activities/media/render-units.js';
import { createMemoryCache } from '../support/folder-store.js';
import { runActivity } from '../support/quiet-environment.js';
import { createSample, type MediaSample } from './media-sample.js';
import { median } from './statistics.js';

export interface MediaBench {
  seconds: number;
  /** CPU seconds. */
  ours: number[];
  plain: number[];
  ratio: number;
  bytes: { ours: number; plain: number };
  ssim: { ours: number; plain: number };
  peakBytes: number;
  /** Wall-clock seconds. */
  wall: { ours: number[]; plain: number[] };
}

const ids = { jobId: 'bench', userId: 'bench' };

/** @param pairs of runs, interleaved; the ratio is the median of theirs. */
export async function benchMedia(pairs: number, sceneCount: number): Promise<MediaBench> {
  const folder = await mkdtemp(join(tmpdir(), 'callsheet-bench-'));
  try {
    const meter = await createMeter(folder);
    const sample = await createSample(folder, meter.tools, { sceneCount });
    const ours: number[] = [];
    const plain: number[] = [];
    const wall: MediaBench['wall'] = { ours: [], plain: [] };
    let last: Rendered | undefined;
    const kept = await prepareOnce(sample);
    const plainPath = join(folder, 'plain.mp4');
    for (let pair = 0; pair < pairs; pair++) {
      const render = () => renderAll(sample, kept);
      last = await meter.measure(ours, true, () => timed(wall.ours, render));
      const { composition } = last;
      const encode = () => encodePlain(sample, composition, plainPath);
      await meter.measure(plain, false, () => timed(wall.plain, encode));
    }
    if (!last) throw new Error('at least one pair');
    const peakBytes = process.resourceUsage().maxRSS * 1024;
    const video = await sample.deps.artifacts.fetch(last.video);
    return {
      ...{ seconds: last.seconds, ours, plain, wall, peakBytes },
      ratio: median(ours.map((value, i) => value / (plain[i] ?? NaN))),
      bytes: { ours: await videoBytes(sample, video), plain: await videoBytes(sample, plainPath) },
      ssim: {
        ours: await ssim(sample, last.composition, video, join(folder, 'ours.log')),
        plain: await ssim(sample, last.composition, plainPath, join(folder, 'plain.log')),
      },
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Rendered {
  video: string;
  composition: Composition;
  seconds: number;
}

/** What a worker makes once for all its jobs: the built-in music and the name of the encoder. */
async function prepareOnce({ deps }: MediaSample): Promise<GenerationCache> {
  const cache = createMemoryCache();
  await prepareMusic({ ...deps, cache }, { builtin: 'calm', gainDb: 0, duck: true });
  await encoderName(deps.tools);
  return cache;
}

/** An empty cache, but for what all jobs share. */
function withMusic(kept: GenerationCache): GenerationCache {
  const cache = createMemoryCache();
  return {
    through: (name, produce, signal) =>
      (name.activity === 'prepare_music' ? kept : cache).through(name, produce, signal),
  };
}

async function timed<T>(into: number[], work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await work();
  into.push((performance.now() - started) / 1000);
  return result;
}

/** Everything from pictures and voices to the file, as many segments at once as there are cores for it. */
async function renderAll(
  { deps, options, script, pictures, voices }: MediaSample,
  kept: GenerationCache,
): Promise<Rendered> {
  const media = createMediaActivities({ ...deps, cache: withMusic(kept) });
  const { captions } = await runActivity(media.timeCaptions, { ...ids, script, voices, options });
  const planning = { ...ids, pictures, voices, captions, options };
  const { composition, segmentFrames, durationSeconds } = await runActivity(media.planComposition, planning);
  const sound = runActivity(media.mixAudio, { ...ids, composition });
  const rendered: string[][] = [];
  const waiting = segmentFrames.map((_, index) => index);
  const work = async () => {
    for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
      rendered[index] = (await runActivity(media.renderSegment, { ...ids, composition, index })).units;
    }
  };
  await Promise.all([work(), work()]);
  const { audio } = await sound;
  const { video } = await runActivity(media.assemble, { ...ids, composition, units: rendered.flat(), audio });
  await runActivity(media.drawThumbnail, { ...ids, video, composition });
  return { video, composition: await deps.artifacts.readJson(composition), seconds: durationSeconds };
}

async function feedFrames({ deps }: MediaSample, composition: Composition, fd: number): Promise<void> {
  const loader = createPictureLoader(deps.artifacts);
  for (const unit of renderUnits(composition)) {
    const { captions } = unit;
    const strips = captions ? await drawCaptionStrips(deps, { ...unit, ...captions }) : [];
    await composeFrames(unit, strips, loader, { fd });
  }
}

const rawInput = ({ width, height, fps }: Composition) => ({
  source: 'pipe:0',
  options: [
    ...['-f', 'rawvideo', '-pixel_format', 'yuv420p', '-video_size', `${width}x${height}`],
    ...['-framerate', String(fps)],
  ],
});

async function fed(sample: MediaSample, composition: Composition, args: string[]): Promise<void> {
  await runFfmpeg(sample.deps.tools, {
    args,
    timeoutMs: 3_600_000,
    fillInput: {
      folder: sample.deps.scratchDir,
      fill: (fd) => feedFrames(sample, composition, fd),
    },
  });
}

async function encodePlain(sample: MediaSample, composition: Composition, target: string): Promise<void> {
  const options = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '23', '-pix_fmt', 'yuv420p'];
  const outputs = [{ target: fileName(target), options }];
  await fed(sample, composition, ffmpegArguments({ inputs: [rawInput(composition)], outputs }));
}

/** Mean SSIM of all planes over all frames, against the frames before encoding. */
async function ssim(sample: MediaSample, composition: Composition, path: string, log: string) {
  const graph = `[0:v]settb=1/30,setpts=N[a];[1:v]settb=1/30,setpts=N[b];[a][b]ssim=stats_file=${log}`;
  const args = ffmpegArguments({
    inputs: [{ source: fileName(path) }, rawInput(composition)],
    filterGraph: graph,
    outputs: [{ target: 'pipe:1', options: ['-f', 'null'] }],
  });
  await fed(sample, composition, args);
  const values = [...(await readFile(log, 'utf8')).matchAll(/All:([\d.]+)/g)].map((match) =>
    Number(match[1]),
  );
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Bytes of the picture alone: the plain file has no sound. */
async function videoBytes({ deps }: MediaSample, path: string): Promise<number> {
  const { stdout } = await runFfmpeg(deps.tools, {
    args: ffmpegArguments({
      inputs: [{ source: fileName(path) }],
      outputs: [{ target: 'pipe:1', options: ['-map', '0:v', '-c', 'copy', '-f', 'h264'] }],
    }),
    timeoutMs: 60_000,
    collectOutput: { maxBytes: 1024 ** 3 },
  });
  return stdout.length;
}

/** Counts the CPU time of programs by having a shell start them, which is told by the system what they took. */
async function createMeter(folder: string) {
  const log = join(folder, 'times');
  const wrapper = async (name: string) => {
    const path = join(folder, name);
    // The shell's `times` prints its own times, then its children's.
    const lines = [
      '#!/bin/bash',
      `${name} "$@"`,
      'code=$?',
      `times > '${log}'.$$`,
      `tail -n 1 '${log}'.$$ >> '${log}'`,
      'exit $code',
      '',
    ];
    await writeFile(path, lines.join('\n'));
    await chmod(path, 0o755);
    return path;
  };
  const tools = { ffmpegPath: await wrapper('ffmpeg'), ffprobePath: await wrapper('ffprobe') };
  const programSeconds = async () => {
    const found = [...(await readFile(log, 'utf8')).matchAll(/(\d+)m([\d.]+)s/g)];
    return found.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0);
  };
  return {
    tools,
    async measure<T>(into: number[], withOwn: boolean, work: () => Promise<T>): Promise<T> {
      await writeFile(log, '');
      const before = process.cpuUsage();
      const result = await work();
      const own = process.cpuUsage(before);
      const programs = withOwn
        ? await programSeconds()
        : Math.max(...(await readFile(log, 'utf8')).split('\n').map(secondsOf));
      into.push(programs + (withOwn ? (own.user + own.system) / 1e6 : 0));
      return result;
    },
  };
}

function secondsOf(line: string): number {
  return [...line.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, m, s]) => sum + Number(m) * 60 + Number(s),
    0,
  );
}

export function mediaTable(bench: MediaBench): string {
  const fixed = (value: number, digits = 2) => value.toFixed(digits);
  const rows = [
    ['video', `${fixed(bench.seconds, 1)} s`],
    ['media work, CPU s', bench.ours.map((value) => fixed(value)).join('  ')],
    ['plain encode, CPU s', bench.plain.map((value) => fixed(value)).join('  ')],
    ['media work, wall s', bench.wall.ours.map((value) => fixed(value, 1)).join('  ')],
    ['plain encode, wall s', bench.wall.plain.map((value) => fixed(value, 1)).join('  ')],
    ['ratio of CPU (median of pairs)', `${fixed(bench.ratio, 3)}   goal ≤ 1.0`],
    ['picture bytes, ours / plain', fixed(bench.bytes.ours / bench.bytes.plain, 3)],
    ['SSIM, ours / plain', `${fixed(bench.ssim.ours, 5)} / ${fixed(bench.ssim.plain, 5)}`],
    ['peak memory of the process', `${fixed(bench.peakBytes / 1024 ** 2, 0)} MB   goal ≤ 700 MB`],
    ['not counted', 'the built-in music, which is made once for all jobs'],
  ];
  return rows.map(([name = '', value = '']) => `${name.padEnd(32)}${value}`).join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [pairs = 3, scenes = 10] = process.argv.slice(2).map(Number);
  console.log(mediaTable(await benchMedia(pairs, scenes)));
}
