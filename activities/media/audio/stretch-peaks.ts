import { frameSamples } from '../aac/adts.js';
import type { AacStretch } from '../aac/stretch.js';
import { openFloats } from './pcm-file.js';
import { createTruePeakMeter } from './true-peak.js';

const blockFrames = 48;

/**
 * True peaks in dBTP of stretches that were encoded in one run, stereo at 48 kHz; -Infinity for silence.
 * @param path of the whole run, decoded to raw 32-bit floats.
 * @param parts of the run, in order.
 */
export async function stretchPeaks(path: string, parts: readonly AacStretch[]): Promise<number[]> {
  const file = await openFloats(path);
  const peaks: number[] = [];
  const room = new Float32Array(2 * blockFrames * frameSamples);
  try {
    // The first frame is decoded without the one before it, but belongs to the surroundings.
    let frame = parts[0]?.leading ?? 0;
    for (const part of parts) {
      const end = frame + part.frames.length - part.leading - part.trailing;
      const meters = [createTruePeakMeter(), createTruePeakMeter()];
      while (frame < end) {
        const count = Math.min(blockFrames, end - frame) * frameSamples;
        const block = room.subarray(0, 2 * count);
        await file.read(2 * frame * frameSamples, block);
        meters.forEach((meter, channel) => {
          meter.add(block, channel, 2, count);
        });
        frame += count / frameSamples;
      }
      peaks.push(20 * Math.log10(Math.max(...meters.map((meter) => meter.peak()))));
    }
  } finally {
    await file.close();
  }
  return peaks;
}
