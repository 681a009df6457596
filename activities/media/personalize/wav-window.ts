import { open, type FileHandle } from 'node:fs/promises';
import { readFully } from '../audio/pcm-file.js';

/** A 16-bit WAV of our own making, read from any place. */
export interface WavWindow {
  sampleRate: number;
  channels: 1 | 2;
  /** Samples a channel. */
  samples: number;
  /** Interleaved, full scale = 1, from sample `start` on; zeros before the first and after the last. */
  read(start: number, samples: number): Promise<Float32Array>;
  close(): Promise<void>;
}

const mostHeaderBytes = 4_096;

/**
 * Opens 16-bit PCM WAV in mono or stereo. Source of the layout: Microsoft's RIFF/WAVE specification.
 * @throws Error for anything else.
 */
export async function openWav(path: string): Promise<WavWindow> {
  const file = await open(path, 'r');
  try {
    const { sampleRate, channels, dataAt, dataBytes } = await readHeader(file);
    const samples = Math.floor(dataBytes / (2 * channels));
    return {
      sampleRate,
      channels,
      samples,
      async read(start, count) {
        const target = new Float32Array(count * channels);
        const [from, to] = [Math.max(0, start), Math.min(samples, start + count)];
        if (to <= from) return target;
        const bytes = new Uint8Array((to - from) * channels * 2);
        await readFully(file, bytes, dataAt + from * channels * 2);
        const view = new DataView(bytes.buffer);
        const offset = (from - start) * channels;
        for (let index = 0; index < bytes.length / 2; index += 1) {
          target[offset + index] = view.getInt16(index * 2, true) / 32_768;
        }
        return target;
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readHeader(file: FileHandle) {
  const head = Buffer.alloc(mostHeaderBytes);
  const length = await readFully(file, head, 0);
  if (head.toString('latin1', 0, 4) !== 'RIFF' || head.toString('latin1', 8, 12) !== 'WAVE') {
    throw new Error('the sound is no WAV');
  }
  let format: { sampleRate: number; channels: 1 | 2 } | undefined;
  for (let at = 12; at + 8 <= length;) {
    const kind = head.toString('latin1', at, at + 4);
    const size = head.readUInt32LE(at + 4);
    const body = at + 8;
    if (kind === 'fmt ') {
      const channels = head.readUInt16LE(body + 2);
      const isPcm = head.readUInt16LE(body) === 1 && head.readUInt16LE(body + 14) === 16;
      if (!isPcm || (channels !== 1 && channels !== 2)) throw new Error('the sound is no 16-bit PCM');
      format = { sampleRate: head.readUInt32LE(body + 4), channels };
    }
    if (kind === 'data' && format !== undefined) {
      const { size: fileBytes } = await file.stat();
      return { ...format, dataAt: body, dataBytes: Math.min(size, fileBytes - body) };
    }
    at = body + size + (size % 2);
  }
  throw new Error('the sound is cut off');
}
