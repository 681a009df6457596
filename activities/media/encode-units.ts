import { join } from 'node:path';
import { transientFailure } from '../failures.js';
import type { CaptionStrip, RenderUnit } from './composition.js';
import { composeFrames } from './compositor/compose-frames.js';
import type { PictureLoader } from './compositor/picture-loader.js';
import { readMp4Index } from './ffmpeg/mp4-index.js';
import { runFfmpeg, type FfmpegTools } from './ffmpeg/run.js';
import { rawFrameEnvironment, segmentArguments, segmentsArguments } from './ffmpeg/segment-command.js';

export interface EncodeUnitsOptions {
  tools: FfmpegTools;
  loader: PictureLoader;
  /** Of one size, in the order in which they follow upon one another. */
  units: readonly { unit: RenderUnit; strips: readonly CaptionStrip[] }[];
  /** Folder for work in progress. */
  dir: string;
  signal?: AbortSignal;
  /** Frames handed to the encoder so far, now and then. */
  onProgress?: (frames: number) => void;
}

/** Slowest encoding that is still believed in: 4K on a busy core. */
const secondsPerFrame = 3;

/**
 * Draws units and encodes them on the way, all in one run: no frame touches the disk.
 * @returns paths of their MP4s, one a unit.
 * @throws ApplicationFailure `segment_broken` when a file does not have exactly its unit's frames.
 */
export async function encodeUnits(options: EncodeUnitsOptions): Promise<string[]> {
  const { tools, loader, units, dir, signal, onProgress } = options;
  const [first] = units;
  if (first === undefined) return [];
  const frames = units.map(({ unit }) => unit.frames);
  const total = frames.reduce((sum, count) => sum + count, 0);
  const paths = units.map((_, index) => join(dir, `${index}.mp4`));
  await runFfmpeg(tools, {
    args:
      units.length === 1
        ? segmentArguments(first.unit, paths[0] ?? '')
        : segmentsArguments(first.unit, frames, dir),
    env: rawFrameEnvironment,
    timeoutMs: 60_000 + total * secondsPerFrame * 1000,
    ...(signal ? { signal } : {}),
    fillInput: {
      folder: dir,
      async fill(fd) {
        let before = 0;
        for (const { unit, strips } of units) {
          const done = before;
          const report = (count: number) => onProgress?.(done + count);
          await composeFrames(unit, strips, loader, { fd, onProgress: report }, signal);
          before += unit.frames;
        }
      },
    },
  });
  for (const [index, { unit }] of units.entries()) {
    if (await isWhole(paths[index] ?? '', unit)) continue;
    throw transientFailure({ code: 'segment_broken', detail: 'A rendered segment is incomplete.' });
  }
  return paths;
}

async function isWhole(path: string, unit: RenderUnit): Promise<boolean> {
  const tracks = await readMp4Index(path).catch(() => []);
  const [video] = tracks;
  if (tracks.length !== 1 || video?.kind !== 'vide' || video.codec !== 'avc1') return false;
  const isLong = Math.abs(video.durationSeconds - unit.frames / unit.fps) < 0.5 / unit.fps;
  return (
    isLong && video.samples === unit.frames && video.width === unit.width && video.height === unit.height
  );
}
