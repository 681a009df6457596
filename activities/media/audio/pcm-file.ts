import { open, type FileHandle } from 'node:fs/promises';

/** One second of 48 kHz sound: what is worked on at a time, so that memory does not grow with the video. */
export const blockSamples = 48_000;

/** Raw 32-bit floats in a file of our own, read from any place. */
export interface FloatFile {
  /** Fills `target` with what stands from sample `start` on; zeros beyond the end. */
  read(start: number, target: Float32Array): Promise<void>;
  close(): Promise<void>;
}

export async function openFloats(path: string): Promise<FloatFile> {
  const file = await open(path, 'r');
  return {
    async read(start, target) {
      const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
      const count = await readFully(file, bytes, start * 4);
      bytes.fill(0, count);
    },
    close: () => file.close(),
  };
}

/** @returns number of bytes read: fewer than asked for at the end of the file only. */
export async function readFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<number> {
  let count = 0;
  while (count < bytes.length) {
    const { bytesRead } = await file.read(bytes, count, bytes.length - count, position + count);
    if (bytesRead === 0) break;
    count += bytesRead;
  }
  return count;
}

/** The bytes of samples, without copying them. */
export function bytesOf(samples: Float32Array): Uint8Array {
  return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
}
