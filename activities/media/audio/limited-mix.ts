import { createHash } from 'node:crypto';
import { frameSamples } from '../aac/adts.js';
import { applyGains } from './gains.js';
import { limiterStep } from './limiter.js';
import { bytesOf, openFloats } from './pcm-file.js';

/** A stereo mix of which any part can be had as it goes to the encoder. */
export interface LimitedMix {
  /**
   * Fills `target` with interleaved samples from `start` on, a multiple of {@link frameSamples}; zeros before the
   * first sample and after the last one.
   */
  read(gains: Float32Array, start: number, target: Float32Array): Promise<void>;
  /** sha256 in hex of the samples of the frames `from` up to but without `to`. */
  hash(gains: Float32Array, from: number, to: number): Promise<string>;
  close(): Promise<void>;
}

const hashedFrames = 48;

/** @param path of raw stereo 32-bit floats at 48 kHz. */
export async function createLimitedMix(path: string, samples: number): Promise<LimitedMix> {
  const file = await openFloats(path);
  const read: LimitedMix['read'] = async (gains, start, target) => {
    const before = Math.min(target.length, 2 * Math.max(0, -start));
    const after = Math.min(target.length, Math.max(before, 2 * (samples - start)));
    target.fill(0);
    const sounding = target.subarray(before, after);
    if (sounding.length === 0) return;
    const first = Math.max(0, start);
    await file.read(2 * first, sounding);
    applyGains(sounding, gains, first, limiterStep);
  };
  return {
    read,
    async hash(gains, from, to) {
      const sha = createHash('sha256');
      const room = new Float32Array(2 * frameSamples * hashedFrames);
      for (let frame = from; frame < to; frame += hashedFrames) {
        const block = room.subarray(0, 2 * frameSamples * (to - frame));
        await read(gains, frame * frameSamples, block);
        sha.update(bytesOf(block));
      }
      return sha.digest('hex');
    },
    close: () => file.close(),
  };
}
