import { dirname } from 'node:path';
import { transientFailure } from '../failures.js';
import type { CaptionStrip, RenderUnit } from './composition.js';
import { composeFrames } from './compositor/compose-frames.js';
import type { PictureLoader } from './compositor/picture-loader.js';
import { readMp4Index } from './ffmpeg/mp4-index.js';
import { runFfmpeg, type FfmpegTools } from './ffmpeg/run.js';
import { rawFrameEnvironment, segmentArguments } from './ffmpeg/segment-command.js';

export interface RenderUnitOptions {
  tools: FfmpegTools;
  loader: PictureLoader;
  unit: RenderUnit;
  strips: readonly CaptionStrip[];
  /** Path of the MP4 to write, in a folder for work in progress. */
  target: string;
  signal?: AbortSignal;
  /** Frames handed to the encoder so far, now and then. */
  onProgress?: (frames: number) => void;
}

/** Slowest encoding that is still believed in: 4K on a busy core. */
const secondsPerFrame = 3;

/**
 * Draws a unit and encodes it on the way: no frame touches the disk.
 * @throws ApplicationFailure `segment_broken` when the file does not have exactly the unit's frames.
 */
export async function renderUnit(options: RenderUnitOptions): Promise<void> {
  const { tools, loader, unit, strips, target, signal, onProgress } = options;
  await runFfmpeg(tools, {
    args: segmentArguments(unit, target),
    env: rawFrameEnvironment,
    timeoutMs: 60_000 + unit.frames * secondsPerFrame * 1000,
    ...(signal ? { signal } : {}),
    fillInput: {
      folder: dirname(target),
      fill: (fd) =>
        composeFrames(unit, strips, loader, { fd, ...(onProgress ? { onProgress } : {}) }, signal),
    },
  });
  if (!(await isWhole(target, unit))) {
    throw transientFailure({ code: 'segment_broken', detail: 'A rendered segment is incomplete.' });
  }
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
