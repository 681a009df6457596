import { open } from 'node:fs/promises';
import { clipFrameBytes, type RawClip } from './lip-sync.js';

/**
 * The same pictures in another number of frames, spread evenly: some are held for two frames or left out, so that
 * a face goes on moving while it says something longer or shorter. The first and the last stay first and last.
 */
export async function retimeClip(clip: RawClip, frames: number, outPath: string): Promise<RawClip> {
  const bytes = clipFrameBytes(clip);
  const [source, sink] = [await open(clip.path, 'r'), await open(outPath, 'w')];
  try {
    const buffer = Buffer.alloc(bytes);
    for (let frame = 0; frame < frames; frame += 1) {
      await source.read(buffer, 0, bytes, sourceFrame(frame, frames, clip.frames) * bytes);
      await sink.write(buffer, 0, bytes, frame * bytes);
    }
  } finally {
    await source.close();
    await sink.close();
  }
  return { ...clip, path: outPath, frames };
}

/** Which frame of `from` shows as frame `index` of `to`. */
export function sourceFrame(index: number, to: number, from: number): number {
  return to <= 1 ? 0 : Math.round((index * (from - 1)) / (to - 1));
}
