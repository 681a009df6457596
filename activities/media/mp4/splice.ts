import { open, type FileHandle } from 'node:fs/promises';
import { box } from './boxes.js';
import { movieBox, type TrackContents } from './movie-box.js';
import type { Movie, Sample, Track } from './movie.js';

/** A frame that takes part in place of others; times in its track's time scale. */
export interface NewSample {
  data: Buffer;
  duration: number;
  compositionOffset: number;
  isSync: boolean;
}

/** Samples `from` up to but without `to` give way to `samples`, whose number and duration may differ. */
export interface Replacement {
  kind: Track['kind'];
  from: number;
  to: number;
  samples: readonly NewSample[];
}

/** A kept sample or a new one. */
type Placed = { source: Sample; data?: undefined } | { source?: undefined; data: Buffer };

interface Laid {
  track: Track;
  /** In decoding order. */
  samples: (Omit<NewSample, 'data'> & { bytes: number; place: Placed })[];
}

const copyBytes = 4 * 1024 ** 2;

/**
 * Writes `movie` (read from `base`) to `target` with some frames of picture or sound replaced. Everything else is
 * copied byte for byte and nothing is encoded; the index is written anew, in front. Replaced pictures must begin
 * with one that stands alone, be followed by one, and have the base's own codec parameters: that is the
 * caller's to see to.
 *
 * @throws RangeError when replacements of one track overlap or lie outside of it.
 */
export async function spliceMovie(
  { base, movie, target }: { base: string; movie: Movie; target: string },
  replacements: readonly Replacement[],
): Promise<void> {
  const laid = movie.tracks.map((track) =>
    lay(
      track,
      replacements.filter(({ kind }) => kind === track.kind),
    ),
  );
  const chunks = interleave(laid);
  const mediaBytes = laid.flatMap(({ samples }) => samples).reduce((sum, sample) => sum + sample.bytes, 0);

  // The index has one length whatever the places in it are, so that these can be known from it.
  const contents = contentsOf(laid, chunks);
  const mediaHead = mediaHeader(mediaBytes);
  const isLarge = mediaBytes > 0xf000_0000;
  const indexBytes = movieBox(movie, contents, { mediaStart: 0, isLarge }).length;
  const mediaStart = movie.fileType.length + indexBytes + mediaHead.length;
  const head = [movie.fileType, movieBox(movie, contents, { mediaStart, isLarge }), mediaHead];

  const [source, sink] = await Promise.all([open(base, 'r'), open(target, 'w')]);
  try {
    await sink.writev(head);
    await copyMedia(source, sink, chunks);
  } finally {
    await Promise.all([source.close(), sink.close()]);
  }
}

function lay(track: Track, replacements: readonly Replacement[]): Laid {
  const samples: Laid['samples'] = [];
  let next = 0;
  const keepUpTo = (end: number) => {
    for (const source of track.samples.slice(next, end)) samples.push({ ...source, place: { source } });
    next = end;
  };
  for (const { from, to, samples: fresh } of replacements.toSorted((a, b) => a.from - b.from)) {
    if (from < next || to < from || to > track.samples.length) {
      throw new RangeError('replacements overlap or lie outside of the track');
    }
    keepUpTo(from);
    for (const { data, ...facts } of fresh) samples.push({ ...facts, bytes: data.length, place: { data } });
    next = to;
  }
  keepUpTo(track.samples.length);
  return { track, samples };
}

interface Chunk {
  trackIndex: number;
  places: Placed[];
  samples: number;
  bytes: number;
}

/** Longest stretch of one track before the other has its turn, so that a player need not read far ahead. */
const chunkSeconds = 0.5;

/** The tracks' samples in turns, by the time at which they are decoded. */
function interleave(laid: readonly Laid[]): Chunk[] {
  const timed = laid.flatMap(({ track, samples }, trackIndex) => {
    let time = 0;
    return samples.map(({ bytes, place, duration }) => {
      const slot = Math.floor(time / track.timescale / chunkSeconds);
      time += duration;
      return { slot, trackIndex, bytes, place };
    });
  });
  timed.sort((a, b) => a.slot - b.slot || a.trackIndex - b.trackIndex);
  const chunks: (Chunk & { slot: number })[] = [];
  for (const { slot, trackIndex, bytes, place } of timed) {
    const last = chunks.at(-1);
    if (last?.trackIndex === trackIndex && last.slot === slot) {
      last.places.push(place);
      last.samples += 1;
      last.bytes += bytes;
    } else chunks.push({ slot, trackIndex, places: [place], samples: 1, bytes });
  }
  return chunks;
}

function contentsOf(laid: readonly Laid[], chunks: readonly Chunk[]): TrackContents[] {
  const contents = laid.map(({ track, samples }): TrackContents => ({ track, samples, chunks: [] }));
  let offset = 0;
  for (const { trackIndex, samples, bytes } of chunks) {
    contents[trackIndex]?.chunks.push({ offset, samples });
    offset += bytes;
  }
  return contents;
}

function mediaHeader(bytes: number): Buffer {
  if (bytes + 8 <= 0xffff_ffff) {
    const head = box('mdat');
    head.writeUInt32BE(bytes + 8, 0);
    return head;
  }
  const head = Buffer.concat([box('mdat'), Buffer.alloc(8)]);
  head.writeUInt32BE(1, 0);
  head.writeBigUInt64BE(BigInt(bytes + 16), 8);
  return head;
}

/** Stretches that follow one another in the base are copied as one. */
async function copyMedia(source: FileHandle, sink: FileHandle, chunks: readonly Chunk[]): Promise<void> {
  const buffer = Buffer.allocUnsafe(copyBytes);
  let filled = 0;
  const flush = async () => {
    await writeAll(sink, buffer.subarray(0, filled));
    filled = 0;
  };
  let run = { offset: 0, bytes: 0 };
  const copyRun = async () => {
    while (run.bytes > 0) {
      if (filled === buffer.length) await flush();
      const wanted = Math.min(run.bytes, buffer.length - filled);
      const { bytesRead } = await source.read(buffer, filled, wanted, run.offset);
      if (bytesRead === 0) throw new Error('the base is cut off');
      filled += bytesRead;
      run = { offset: run.offset + bytesRead, bytes: run.bytes - bytesRead };
    }
  };
  for (const place of chunks.flatMap(({ places }) => places)) {
    if (place.source !== undefined) {
      if (run.bytes > 0 && place.source.offset === run.offset + run.bytes) run.bytes += place.source.bytes;
      else {
        await copyRun();
        run = { offset: place.source.offset, bytes: place.source.bytes };
      }
    } else {
      await copyRun();
      if (filled + place.data.length > buffer.length) await flush();
      if (place.data.length > buffer.length) await writeAll(sink, place.data);
      else {
        place.data.copy(buffer, filled);
        filled += place.data.length;
      }
    }
  }
  await copyRun();
  await flush();
}

async function writeAll(sink: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length;) at += (await sink.write(bytes, at)).bytesWritten;
}
