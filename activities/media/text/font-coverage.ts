import { open, type FileHandle } from 'node:fs/promises';

/** Code points that one face of a font file can draw: sorted, inclusive ranges. */
export interface FaceCoverage {
  faceIndex: number;
  ranges: [first: number, last: number][];
}

const maxTableBytes = 4 * 1024 * 1024;

/**
 * Reads only the character map of a font file, so that a host's hundreds of fonts can be asked quickly.
 * Only the first face of a collection counts. Undefined for what is no outline font.
 * Format: OpenType 1.9, "cmap", subtables 4 and 12.
 */
export async function readCoverage(path: string): Promise<FaceCoverage | undefined> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const ranges = await readRanges(file);
    return ranges === undefined || ranges.length === 0 ? undefined : { faceIndex: 0, ranges };
  } catch (error) {
    if (error instanceof RangeError) return undefined; // a damaged file; its font is simply not used
    throw error;
  } finally {
    await file.close();
  }
}

export function covers({ ranges }: FaceCoverage, codePoint: number): boolean {
  let low = 0;
  let high = ranges.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const range = ranges[middle];
    if (range === undefined) return false;
    if (codePoint < range[0]) high = middle - 1;
    else if (codePoint > range[1]) low = middle + 1;
    else return true;
  }
  return false;
}

async function readRanges(file: FileHandle): Promise<[number, number][] | undefined> {
  let start = 0;
  const header = await readAt(file, 0, 16);
  if (header.toString('latin1', 0, 4) === 'ttcf') start = header.readUInt32BE(12);
  const fontHeader = await readAt(file, start, 12);
  if (![0x00010000, 0x4f54544f, 0x74727565].includes(fontHeader.readUInt32BE(0))) return undefined;
  const tableCount = fontHeader.readUInt16BE(4);
  const directory = await readAt(file, start + 12, tableCount * 16);
  const tables = new Map<string, { offset: number; length: number }>();
  for (let i = 0; i < tableCount; i += 1) {
    tables.set(directory.toString('latin1', i * 16, i * 16 + 4), {
      offset: directory.readUInt32BE(i * 16 + 8),
      length: directory.readUInt32BE(i * 16 + 12),
    });
  }
  const cmap = tables.get('cmap');
  const hasOutlines = tables.has('glyf') || tables.has('CFF ') || tables.has('CFF2');
  if (cmap === undefined || !hasOutlines || cmap.length > maxTableBytes) return undefined;
  return parseCmap(await readAt(file, cmap.offset, cmap.length));
}

function parseCmap(cmap: Buffer): [number, number][] {
  const subtables: { format: number; offset: number }[] = [];
  for (let i = 0; i < cmap.readUInt16BE(2); i += 1) {
    const offset = cmap.readUInt32BE(4 + i * 8 + 4);
    subtables.push({ format: cmap.readUInt16BE(offset), offset });
  }
  const full = subtables.find(({ format }) => format === 12);
  if (full !== undefined) return parseFormat12(cmap, full.offset);
  const basic = subtables.find(({ format }) => format === 4);
  return basic === undefined ? [] : parseFormat4(cmap, basic.offset);
}

function parseFormat12(cmap: Buffer, offset: number): [number, number][] {
  const count = cmap.readUInt32BE(offset + 12);
  const ranges: [number, number][] = [];
  for (let i = 0; i < count; i += 1) {
    const at = offset + 16 + i * 12;
    ranges.push([cmap.readUInt32BE(at), cmap.readUInt32BE(at + 4)]);
  }
  return ranges;
}

function parseFormat4(cmap: Buffer, offset: number): [number, number][] {
  const doubled = cmap.readUInt16BE(offset + 6);
  const ranges: [number, number][] = [];
  for (let i = 0; i < doubled; i += 2) {
    const last = cmap.readUInt16BE(offset + 14 + i);
    const first = cmap.readUInt16BE(offset + 16 + doubled + i);
    if (first !== 0xffff && first <= last) ranges.push([first, last]);
  }
  return ranges;
}

/** @throws RangeError when the file is shorter than it says. */
async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  if (bytesRead < length) throw new RangeError('font file ends early');
  return buffer;
}
