import { childOf, optionalChildOf } from './boxes.js';

/** One frame of picture or sound as it lies in a file. Times in the track's time scale. */
export interface Sample {
  /** Place in the file. */
  offset: number;
  bytes: number;
  duration: number;
  /** Presentation minus decoding time. */
  compositionOffset: number;
  /** It can be decoded without the ones before it. */
  isSync: boolean;
}

/** Samples of one track that stand next to each other in the file. */
export interface Chunk {
  /** Place in the file. */
  offset: number;
  samples: number;
}

/** All samples of a track. @param table body of its `stbl` */
export function readSamples(table: Buffer, chunks: readonly Chunk[]): Sample[] {
  const sizes = readSizes(childOf(table, 'stsz'));
  const offsets = readOffsets(chunks, sizes);
  const durations = expandRuns(childOf(table, 'stts'), sizes.length, false);
  const shifts = optionalChildOf(table, 'ctts');
  const compositionOffsets = shifts && expandRuns(shifts, sizes.length, true);
  const syncTable = optionalChildOf(table, 'stss');
  const syncs = syncTable && new Set(numbers(syncTable, 8, syncTable.readUInt32BE(4)));
  return sizes.map((bytes, index) => ({
    offset: at(offsets, index),
    bytes,
    duration: at(durations, index),
    compositionOffset: compositionOffsets === undefined ? 0 : at(compositionOffsets, index),
    isSync: syncs === undefined || syncs.has(index + 1),
  }));
}

function readSizes(table: Buffer): number[] {
  const [uniform, count] = [table.readUInt32BE(4), table.readUInt32BE(8)];
  return uniform === 0 ? numbers(table, 12, count) : Array.from({ length: count }, () => uniform);
}

function readOffsets(chunks: readonly Chunk[], sizes: readonly number[]): number[] {
  const offsets: number[] = [];
  for (const chunk of chunks) {
    let { offset } = chunk;
    for (let index = 0; index < chunk.samples; index += 1) {
      const bytes = at(sizes, offsets.length);
      offsets.push(offset);
      offset += bytes;
    }
  }
  return offsets;
}

/**
 * Where the samples lie: `stsc` says how many samples each chunk has, from which chunk on.
 * @param table body of a track's `stbl`
 */
export function readChunks(table: Buffer): { chunks: Chunk[]; sampleCount: number } {
  const offsets = readChunkOffsets(table);
  const runs = childOf(table, 'stsc');
  const runCount = runs.readUInt32BE(4);
  const chunks: Chunk[] = [];
  let placed = 0;
  for (let run = 0; run < runCount; run += 1) {
    const first = runs.readUInt32BE(8 + run * 12) - 1;
    const samples = runs.readUInt32BE(12 + run * 12);
    const next = run + 1 < runCount ? runs.readUInt32BE(8 + (run + 1) * 12) - 1 : offsets.length;
    for (let chunk = first; chunk < next; chunk += 1) {
      chunks.push({ offset: at(offsets, chunk), samples });
      placed += samples;
    }
  }
  const sampleCount = childOf(table, 'stsz').readUInt32BE(8);
  if (placed !== sampleCount) throw new Error('the index names samples without a place');
  return { chunks, sampleCount };
}

function readChunkOffsets(table: Buffer): number[] {
  const short = optionalChildOf(table, 'stco');
  if (short !== undefined) return numbers(short, 8, short.readUInt32BE(4));
  const long = childOf(table, 'co64');
  return Array.from({ length: long.readUInt32BE(4) }, (_, index) =>
    Number(long.readBigUInt64BE(8 + index * 8)),
  );
}

/** `stts` and `ctts`: runs of a count and a value. */
function expandRuns(table: Buffer, length: number, isSigned: boolean): number[] {
  const values: number[] = [];
  for (let run = 0; run < table.readUInt32BE(4); run += 1) {
    const count = Math.min(table.readUInt32BE(8 + run * 8), length - values.length);
    const place = 12 + run * 8;
    const value = isSigned ? table.readInt32BE(place) : table.readUInt32BE(place);
    for (let index = 0; index < count; index += 1) values.push(value);
  }
  return values;
}

function numbers(table: Buffer, from: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => table.readUInt32BE(from + index * 4));
}

function at(values: readonly number[], index: number): number {
  const value = values[index];
  if (value === undefined) throw new Error('the index is cut off');
  return value;
}
