import { open } from 'node:fs/promises';
import { blockSamples, readFully } from './pcm-file.js';

export interface LoopFile {
  /** Raw 16-bit stereo at 48 kHz. */
  path: string;
  /** Samples of one channel. */
  samples: number;
  /** The end runs into the beginning for so many samples; 0 for music that is made to be repeated. */
  crossfadeSamples: number;
}

/** Stereo sound that goes on for ever. */
export interface MusicLoop {
  /** Fills `target` (interleaved) with what is heard from sample `start` on; full scale is 1. */
  read(start: number, target: Float32Array): Promise<void>;
  close(): Promise<void>;
}

const bytesPerSample = 4;

/** Opens music to be repeated without a gap or a click. Memory is that of what is read at a time. */
export async function openLoop({ path, samples, crossfadeSamples }: LoopFile): Promise<MusicLoop> {
  const file = await open(path, 'r');
  const period = samples - crossfadeSamples;
  let room = new Int16Array(2 * blockSamples);
  const readPlain = async (at: number, count: number) => {
    if (room.length < 2 * count) room = new Int16Array(2 * count);
    const pcm = room.subarray(0, 2 * count);
    await readFully(file, new Uint8Array(pcm.buffer, 0, pcm.byteLength), at * bytesPerSample);
    return pcm;
  };
  return {
    async read(start, target) {
      const end = start + target.length / 2;
      for (let at = start; at < end;) {
        const round = Math.floor(at / period);
        const within = at - round * period;
        const crossing = round > 0 && within < crossfadeSamples;
        const count = Math.min(end - at, crossing ? crossfadeSamples - within : period - within);
        const into = target.subarray(2 * (at - start), 2 * (at - start + count));
        const pcm = await readPlain(within, count);
        if (crossing) {
          const coming = pcm.slice();
          crossfade(into, coming, await readPlain(period + within, count), within, crossfadeSamples);
        } else for (let n = 0; n < into.length; n += 1) into[n] = (pcm[n] ?? 0) / 32_768;
        at += count;
      }
    },
    close: () => file.close(),
  };
}

/** Keeps the power even: the two ends of a piece have nothing in common. */
function crossfade(
  into: Float32Array,
  coming: Int16Array,
  going: Int16Array,
  within: number,
  length: number,
) {
  for (let n = 0; n < into.length; n += 1) {
    const angle = ((within + (n >> 1)) / length) * (Math.PI / 2);
    into[n] = ((coming[n] ?? 0) * Math.sin(angle) + (going[n] ?? 0) * Math.cos(angle)) / 32_768;
  }
}
