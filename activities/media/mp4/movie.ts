import { open, type FileHandle } from 'node:fs/promises';
import { boxesOf, childOf, headerLayout, optionalChildOf, readDuration } from './boxes.js';
import { readChunks, readSamples, type Chunk, type Sample } from './sample-tables.js';

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
  sampleCount: number;
  /** In decoding order; read when they are first asked for. */
  readonly samples: readonly Sample[];
  /** In decoding order, too. */
  chunks: Chunk[];
  /** Body of the whole `trak`. */
  box: Buffer;
}

export interface Movie {
  /** Units a second of the movie's and the tracks' own headers. */
  timescale: number;
  tracks: Track[];
  /** Where the tracks' samples lie in the file: from the first byte of the media, and to the first one after it. */
  media: { start: number; end: number };
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
    const { fileType, index, media } = await topLevel(file);
    if (optionalChildOf(index, 'mvex') !== undefined) throw new Error('the MP4 is fragmented');
    const header = childOf(index, 'mvhd');
    const timescale = header.readUInt32BE(headerLayout(header, 'mvhd').timescaleAt);
    const tracks = boxesOf(index)
      .filter(({ name }) => name === 'trak')
      .map(({ body }) => readTrack(body, timescale));
    return { timescale, tracks, media, fileType, box: index };
  } finally {
    await file.close();
  }
}

async function topLevel(
  file: FileHandle,
): Promise<{ fileType: Buffer; index: Buffer; media: Movie['media'] }> {
  const { size } = await file.stat();
  const found = new Map<string, Buffer>();
  const media = { start: size, end: 0 };
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
    if (name === 'mdat') {
      media.start = Math.min(media.start, at + headBytes);
      media.end = at + bytes;
    }
    at += bytes;
  }
  const [fileType, index] = [found.get('ftyp'), found.get('moov')];
  if (fileType === undefined || index === undefined) throw new Error('there is no index');
  return { fileType, index, media };
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
  const { chunks, sampleCount } = readChunks(table);
  let samples: Sample[] | undefined;
  return {
    kind: handler === 'vide' ? 'video' : 'audio',
    timescale,
    duration,
    startsAt: edits.find(({ mediaTime }) => mediaTime >= 0)?.mediaTime ?? 0,
    presentedSeconds: edits.length === 0 ? duration / timescale : edited,
    description: childOf(table, 'stsd'),
    sampleCount,
    get samples() {
      return (samples ??= readSamples(table, chunks));
    },
    chunks,
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

/** Bytes of a video sample entry in front of the boxes in it. Source: ISO/IEC 14496-12, 12.1.3. */
const visualEntryBytes = 86;

/** Parameter sets of an H.264 track, which its pictures are decoded with. @throws Error for another codec. */
export function avcConfiguration({ description }: Track): Buffer {
  // In front of the entry stand version, flags and the number of entries.
  return childOf(description.subarray(8 + visualEntryBytes), 'avcC');
}
