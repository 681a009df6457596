import { box, boxesOf, childOf, tableBox, withDuration } from './boxes.js';
import type { Movie, Track } from './movie.js';
import type { Chunk, Sample } from './sample-tables.js';

/** What a track holds after a splice. */
export interface TrackContents {
  track: Track;
  /** In decoding order; null where they are the track's own. */
  samples: readonly Omit<Sample, 'offset'>[] | null;
  /** `offset` counts from the first byte of the media. */
  chunks: readonly Chunk[];
}

interface Placement {
  /** Place of the media's first byte in the file. */
  mediaStart: number;
  /** Places need 64 bits. */
  isLarge: boolean;
}

/** The index of a movie whose tracks hold other samples; what does not speak of samples stays as it is. */
export function movieBox(movie: Movie, contents: readonly TrackContents[], placement: Placement): Buffer {
  const lengths = contents.map((track) => presentedSeconds(track));
  const units = (seconds: number) => Math.round(seconds * movie.timescale);
  let next = 0;
  const parts = boxesOf(movie.box).map(({ name, body }) => {
    if (name === 'mvhd') return box(name, withDuration(body, 'mvhd', units(Math.max(...lengths))));
    if (name !== 'trak') return box(name, body);
    const [content, seconds] = [contents[next], lengths[next]];
    next += 1;
    if (content === undefined || seconds === undefined) throw new Error('a track has no contents');
    return trackBox(content, units(seconds), placement);
  });
  return box('moov', ...parts);
}

/** What is presented: all samples but what an edit list leaves out at the start. */
function presentedSeconds({ track, samples }: TrackContents): number {
  if (samples === null) return track.presentedSeconds;
  const base = totalDuration(track.samples);
  const now = totalDuration(samples);
  // An edit list may also leave out something at the end: it goes on leaving out just that.
  return track.presentedSeconds + (now - base) / track.timescale;
}

function trackBox(content: TrackContents, duration: number, placement: Placement): Buffer {
  const parts = boxesOf(content.track.box).map(({ name, body }) => {
    if (name === 'tkhd') return box(name, withDuration(body, 'tkhd', duration));
    if (name === 'edts') return box(name, box('elst', withEditDuration(childOf(body, 'elst'), duration)));
    if (name === 'mdia') return mediaBox(body, content, placement);
    return box(name, body);
  });
  return box('trak', ...parts);
}

/** The last edit is the one that shows the media; the ones before it only wait. */
function withEditDuration(list: Buffer, duration: number): Buffer {
  const copy = Buffer.from(list);
  const isLong = copy.readUInt8(0) === 1;
  const entryBytes = isLong ? 20 : 12;
  const last = 8 + (copy.readUInt32BE(4) - 1) * entryBytes;
  let waited = 0;
  for (let at = 8; at < last; at += entryBytes) {
    waited += isLong ? Number(copy.readBigUInt64BE(at)) : copy.readUInt32BE(at);
  }
  if (isLong) copy.writeBigUInt64BE(BigInt(duration - waited), last);
  else copy.writeUInt32BE(duration - waited, last);
  return copy;
}

function totalDuration(samples: readonly Pick<Sample, 'duration'>[]): number {
  let total = 0;
  for (const { duration } of samples) total += duration;
  return total;
}

function mediaBox(media: Buffer, content: TrackContents, placement: Placement): Buffer {
  const { samples, track } = content;
  const duration = samples === null ? track.duration : totalDuration(samples);
  const parts = boxesOf(media).map(({ name, body }) => {
    if (name === 'mdhd') return box(name, withDuration(body, 'mdhd', duration));
    if (name !== 'minf') return box(name, body);
    const inner = boxesOf(body).map((child) =>
      child.name === 'stbl'
        ? box('stbl', ...sampleTables(child.body, content, placement))
        : box(child.name, child.body),
    );
    return box('minf', ...inner);
  });
  return box('mdia', ...parts);
}

function sampleTables(table: Buffer, { samples, chunks }: TrackContents, placement: Placement): Buffer[] {
  if (samples === null) {
    const kept = boxesOf(table).filter(({ name }) => name !== 'stco' && name !== 'co64');
    return [...kept.map(({ name, body }) => box(name, body)), offsetTable(chunks, placement)];
  }
  const kept = boxesOf(table).flatMap(({ name, body }) => {
    if (name === 'stsd' || name === 'sgpd') return [box(name, body)];
    if (name === 'sbgp') return [sampleGroups(body, samples.length)];
    return [];
  });
  const isShifted = samples.some(({ compositionOffset }) => compositionOffset !== 0);
  const isMixed = samples.some(({ isSync }) => !isSync);
  const syncs = samples.flatMap(({ isSync }, index) => (isSync ? [index + 1] : []));
  return [
    ...kept,
    runTable(
      'stts',
      samples.map(({ duration }) => duration),
    ),
    ...(isShifted
      ? [
          runTable(
            'ctts',
            samples.map(({ compositionOffset }) => compositionOffset),
          ),
        ]
      : []),
    ...(isMixed ? [tableBox('stss', [syncs.length, ...syncs])] : []),
    chunkTable(chunks),
    tableBox('stsz', [0, samples.length, ...samples.map(({ bytes }) => bytes)]),
    offsetTable(chunks, placement),
  ];
}

/** One group over all samples, as ffmpeg writes for sound's roll distance; it stays over all of them. */
function sampleGroups(body: Buffer, count: number): Buffer {
  const isTyped = body.readUInt8(0) === 1;
  const at = isTyped ? 12 : 8;
  if (body.readUInt32BE(at) !== 1) throw new Error('the samples are in more than one group');
  const copy = Buffer.from(body);
  copy.writeUInt32BE(count, at + 4);
  return box('sbgp', copy);
}

/** Version 1 of `ctts` has signed values; in `stts` there are none. */
function runTable(name: 'stts' | 'ctts', values: readonly number[]): Buffer {
  const runs: { count: number; value: number }[] = [];
  for (const value of values) {
    const last = runs.at(-1);
    if (last?.value === value) last.count += 1;
    else runs.push({ count: 1, value });
  }
  const version = values.some((value) => value < 0) ? 1 : 0;
  return tableBox(name, [runs.length, ...runs.flatMap(({ count, value }) => [count, value])], version);
}

function chunkTable(chunks: TrackContents['chunks']): Buffer {
  const runs: number[] = [];
  let before: number | undefined;
  chunks.forEach(({ samples }, index) => {
    if (samples !== before) runs.push(index + 1, samples, 1);
    before = samples;
  });
  return tableBox('stsc', [runs.length / 3, ...runs]);
}

function offsetTable(chunks: TrackContents['chunks'], { mediaStart, isLarge }: Placement): Buffer {
  if (!isLarge) return tableBox('stco', [chunks.length, ...chunks.map(({ offset }) => mediaStart + offset)]);
  const high = (value: number) => Math.floor(value / 2 ** 32);
  const places = chunks.flatMap(({ offset }) => [high(mediaStart + offset), mediaStart + offset]);
  return tableBox('co64', [chunks.length, ...places]);
}
