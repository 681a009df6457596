import { open, type FileHandle } from 'node:fs/promises';
import { boxesOf, childOf, headerLayout, optionalChildOf, readDuration } from './boxes.js';

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

export interface Track {
  kind: 'video' | 'audio';
  /** Units a second. */
  timescale: number;
  /** Sum of the samples' durations. */
  duration: number;
  /** Media time of what is presented first: an encoder's delay is what stands before it. */
  startsAt: number;
  /** How long the track plays, waiting at its start included. */
  presentedSeconds: number;
  /** Body of `stsd`: codec and its parameters. */
  description: Buffer;
  samples: Sample[];
  /** Body of the whole `trak`. */
  box: Buffer;
}

export interface Movie {
  /** Units a second of the movie's and the tracks' own headers. */
  timescale: number;
  tracks: Track[];
  /** The file's `ftyp` box, whole. */
  fileType: Buffer;
  /** Body of `moov`. */
  box: Buffer;
}

/** More than the index of ten hours. */
const mostIndexBytes = 256 * 1024 ** 2;

/**
 * Reads the index of an MP4 with one track of picture, one of sound, or both, as ffmpeg writes it: not
 * fragmented. Source: ISO/IEC 14496-12.
 * @throws Error for anything else.
 */
export async function readMovie(path: string): Promise<Movie> {
  const file = await open(path, 'r');
  try {
    const { fileType, index } = await topLevel(file);
    if (optionalChildOf(index, 'mvex') !== undefined) throw new Error('the MP4 is fragmented');
    const header = childOf(index, 'mvhd');
    const timescale = header.readUInt32BE(headerLayout(header, 'mvhd').timescaleAt);
    const tracks = boxesOf(index)
      .filter(({ name }) => name === 'trak')
      .map(({ body }) => readTrack(body, timescale));
    return { timescale, tracks, fileType, box: index };
  } finally {
    await file.close();
  }
}

async function topLevel(file: FileHandle): Promise<{ fileType: Buffer; index: Buffer }> {
  const { size } = await file.stat();
  const found = new Map<string, Buffer>();
  for (let at = 0; at < size;) {
    const head = Buffer.alloc(16);
    const { bytesRead } = await file.read(head, 0, 16, at);
    if (bytesRead < 8) throw new Error('a box is cut off');
    const short = head.readUInt32BE(0);
    const headBytes = short === 1 ? 16 : 8;
    const bytes = short === 1 ? Number(head.readBigUInt64BE(8)) : short;
    if (bytesRead < headBytes || bytes < headBytes || at + bytes > size) throw new Error('a box is cut off');
    const name = head.toString('latin1', 4, 8);
    if (name === 'moov' || name === 'ftyp') {
      if (bytes > mostIndexBytes) throw new Error('the index is too large');
      const whole = Buffer.alloc(bytes);
      await file.read(whole, 0, bytes, at);
      found.set(name, whole.subarray(name === 'moov' ? headBytes : 0));
    }
    at += bytes;
  }
  const [fileType, index] = [found.get('ftyp'), found.get('moov')];
  if (fileType === undefined || index === undefined) throw new Error('there is no index');
  return { fileType, index };
}

function readTrack(track: Buffer, movieTimescale: number): Track {
  const media = childOf(track, 'mdia');
  const header = childOf(media, 'mdhd');
  const handler = childOf(media, 'hdlr').toString('latin1', 8, 12);
  if (handler !== 'vide' && handler !== 'soun') throw new Error('there is a track of another kind');
  const table = childOf(childOf(media, 'minf'), 'stbl');
  const timescale = header.readUInt32BE(headerLayout(header, 'mdhd').timescaleAt);
  const duration = readDuration(header, 'mdhd');
  const edits = readEdits(track);
  const edited = edits.reduce((sum, edit) => sum + edit.duration, 0) / movieTimescale;
  return {
    kind: handler === 'vide' ? 'video' : 'audio',
    timescale,
    duration,
    startsAt: edits.find(({ mediaTime }) => mediaTime >= 0)?.mediaTime ?? 0,
    presentedSeconds: edits.length === 0 ? duration / timescale : edited,
    description: childOf(table, 'stsd'),
    samples: readSamples(table),
    box: track,
  };
}

/** `duration` in the movie's time scale, `mediaTime` in the track's; −1 waits. */
function readEdits(track: Buffer): { duration: number; mediaTime: number }[] {
  const edits = optionalChildOf(track, 'edts');
  if (edits === undefined) return [];
  const list = childOf(edits, 'elst');
  const isLong = list.readUInt8(0) === 1;
  return Array.from({ length: list.readUInt32BE(4) }, (_, index) => {
    const place = 8 + index * (isLong ? 20 : 12);
    return isLong
      ? { duration: Number(list.readBigUInt64BE(place)), mediaTime: Number(list.readBigInt64BE(place + 8)) }
      : { duration: list.readUInt32BE(place), mediaTime: list.readInt32BE(place + 4) };
  });
}

function readSamples(table: Buffer): Sample[] {
  const sizes = readSizes(childOf(table, 'stsz'));
  const offsets = readOffsets(table, sizes);
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

/** From chunks to samples: `stsc` says how many samples each chunk has, from which chunk on. */
function readOffsets(table: Buffer, sizes: readonly number[]): number[] {
  const chunks = readChunkOffsets(table);
  const runs = childOf(table, 'stsc');
  const runCount = runs.readUInt32BE(4);
  const offsets: number[] = [];
  for (let run = 0; run < runCount; run += 1) {
    const first = runs.readUInt32BE(8 + run * 12) - 1;
    const perChunk = runs.readUInt32BE(12 + run * 12);
    const next = run + 1 < runCount ? runs.readUInt32BE(8 + (run + 1) * 12) - 1 : chunks.length;
    for (let chunk = first; chunk < next; chunk += 1) {
      let offset = at(chunks, chunk);
      for (let index = 0; index < perChunk; index += 1) {
        const bytes = at(sizes, offsets.length);
        offsets.push(offset);
        offset += bytes;
      }
    }
  }
  if (offsets.length !== sizes.length) throw new Error('the index names samples without a place');
  return offsets;
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

/** Bytes of a video sample entry in front of the boxes in it. Source: ISO/IEC 14496-12, 12.1.3. */
const visualEntryBytes = 86;

/** Parameter sets of an H.264 track, which its pictures are decoded with. @throws Error for another codec. */
export function avcConfiguration({ description }: Track): Buffer {
  // In front of the entry stand version, flags and the number of entries.
  return childOf(description.subarray(8 + visualEntryBytes), 'avcC');
}
