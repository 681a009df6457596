import type { Writable } from 'node:stream';
import { transientFailure } from '../failures.js';
import type { CaptionStrip, RenderUnit } from './composition.js';
import { composeFrames } from './compositor/compose-frames.js';
import type { PictureLoader } from './compositor/picture-loader.js';
import { probe, runFfmpeg, type FfmpegTools } from './ffmpeg/run.js';
import { segmentArguments } from './ffmpeg/segment-command.js';

export interface RenderUnitOptions {
  tools: FfmpegTools;
  loader: PictureLoader;
  unit: RenderUnit;
  strips: readonly CaptionStrip[];
  /** Path of the MP4 to write. */
  target: string;
  signal?: AbortSignal;
  /** Frames handed to the encoder so far. */
  onFrame?: (frames: number) => void;
}

/** Slowest encoding that is still believed in: 4K on a busy core. */
const secondsPerFrame = 3;

/**
 * Draws a unit and encodes it on the way: no frame touches the disk.
 * @throws ApplicationFailure `segment_broken` when the file does not have exactly the unit's frames.
 */
export async function renderUnit(options: RenderUnitOptions): Promise<void> {
  const { tools, loader, unit, strips, target, signal, onFrame } = options;
  await runFfmpeg(tools, {
    args: segmentArguments(unit, target),
    timeoutMs: 60_000 + unit.frames * secondsPerFrame * 1000,
    ...(signal ? { signal } : {}),
    writeInput: async (stdin) => {
      let frames = 0;
      const sink = async (frame: Uint8Array) => {
        await write(stdin, frame);
        onFrame?.(++frames);
      };
      await composeFrames(unit, strips, loader, sink, signal);
    },
  });
  const { streams } = await probe(tools, target, signal ? { signal } : {});
  const [video] = streams;
  if (streams.length !== 1 || video?.codec !== 'h264' || video.packets !== unit.frames) {
    throw transientFailure({ code: 'segment_broken', detail: 'A rendered segment is incomplete.' });
  }
}

/** Resolves when the bytes may be used again. */
function write(stdin: Writable, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    if (stdin.destroyed) {
      reject(new Error('the encoder has ended'));
      return;
    }
    stdin.write(bytes, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
