import { open, type FileHandle } from 'node:fs/promises';
import type { Container } from './sniff.js';

/** A file of more parts than this at its top level is none that any program makes. */
const mostParts = 200_000;

/**
 * Whether the file is as long as its own headers say: a truncated one otherwise probes well and ends early. Formats
 * without such a header count as whole.
 */
export async function isWhole(path: string, container: Container): Promise<boolean> {
  if (container === 'other') return true;
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    switch (container) {
      case 'mp4':
        return await isWholeMp4(file, size);
      case 'matroska':
        return await isWholeMatroska(file, size);
      case 'wav':
        return await isWholeWav(file, size);
    }
  } finally {
    await file.close();
  }
}

/** Boxes fill the file, and there is an index. ISO/IEC 14496-12, 4.2. */
async function isWholeMp4(file: FileHandle, size: number): Promise<boolean> {
  let hasIndex = false;
  for (let at = 0, parts = 0; at < size; parts += 1) {
    const head = await readAt(file, at, 16);
    if (head.length < 8 || parts > mostParts) return false;
    const short = head.readUInt32BE(0);
    if (short === 1 && head.length < 16) return false;
    const bytes = short === 1 ? Number(head.readBigUInt64BE(8)) : short === 0 ? size - at : short;
    if (bytes < 8 || at + bytes > size) return false;
    if (head.toString('latin1', 4, 8) === 'moov') hasIndex = true;
    at += bytes;
  }
  return hasIndex;
}

/** The EBML header, then a segment that ends within the file or whose length is not told. RFC 9559, RFC 8794. */
async function isWholeMatroska(file: FileHandle, size: number): Promise<boolean> {
  let at = 0;
  for (let parts = 0; parts < 16; parts += 1) {
    const head = await readAt(file, at, 12);
    const idBytes = Math.clz32((head[0] ?? 0) << 24) + 1;
    const first = head[idBytes] ?? 0;
    const lengthBytes = Math.clz32(first << 24) + 1;
    if (idBytes > 4 || lengthBytes > 8 || head.length < idBytes + lengthBytes) return false;
    const isSegment = head.toString('hex', 0, idBytes) === '18538067';
    const digits = head.subarray(idBytes, idBytes + lengthBytes);
    const marker = 1n << BigInt(7 * lengthBytes);
    const length = BigInt(`0x${digits.toString('hex')}`) - marker;
    const isUntold = length === marker - 1n;
    const end = at + idBytes + lengthBytes + Number(length);
    if (isSegment) return isUntold || end <= size;
    if (isUntold || end >= size) return false;
    at = end;
  }
  return false;
}

/** What is written to a pipe has no length, or the largest there is. */
async function isWholeWav(file: FileHandle, size: number): Promise<boolean> {
  const head = await readAt(file, 0, 8);
  if (head.length < 8) return false;
  const length = head.readUInt32LE(4);
  return length === 0 || length === 0xffff_ffff || length + 8 <= size + 1;
}

async function readAt(file: FileHandle, at: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes);
  const { bytesRead } = await file.read(buffer, 0, bytes, at);
  return buffer.subarray(0, bytesRead);
}
