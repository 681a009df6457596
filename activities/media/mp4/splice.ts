import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { box } from './boxes.js';
import { movieBox } from './movie-box.js';
import type { Movie, Track } from './movie.js';
import { editTrack, type MediaEdit, type Replacement } from './track-edits.js';

const copyBytes = 1024 ** 2;

/**
 * Writes `movie` (read from `base`) to `target` with some frames of picture or sound replaced. Everything else is
 * copied byte for byte in the order in which it stands there and nothing is encoded; the index is written anew, in
 * front. Replaced pictures must begin with one that stands alone, be followed by one, and have the base's own codec
 * parameters: that is the caller's to see to.
 *
 * @returns sha256 in hex of the file.
 * @throws RangeError when replacements of one track overlap, lie outside of it or replace nothing.
 */
export async function spliceMovie(
  { base, movie, target }: { base: string; movie: Movie; target: string },
  replacements: readonly Replacement[],
): Promise<string> {
  const edited = movie.tracks.map((track) => editTrack(track, ofKind(replacements, track)));
  const edits = edited.flatMap((track) => track.edits).sort((one, other) => one.at - other.at);
  const { placeOf, mediaBytes } = layMedia(movie, edits);
  const contents = edited.map(({ track, samples, chunks }) => ({
    ...{ track, samples },
    chunks: chunks.map((chunk) => ({ ...chunk, offset: placeOf(chunk.offset) })),
  }));

  // The index has one length whatever the places in it are, so that these can be known from it.
  const mediaHead = mediaHeader(mediaBytes);
  const isLarge = mediaBytes > 0xf000_0000;
  const indexBytes = movieBox(movie, contents, { mediaStart: 0, isLarge }).length;
  const mediaStart = movie.fileType.length + indexBytes + mediaHead.length;
  const head = [movie.fileType, movieBox(movie, contents, { mediaStart, isLarge }), mediaHead];

  const [source, sink] = await Promise.all([open(base, 'r'), open(target, 'w')]);
  const hash = createHash('sha256');
  try {
    const write = async (bytes: Uint8Array) => {
      hash.update(bytes);
      for (let at = 0; at < bytes.length;) at += (await sink.write(bytes, at)).bytesWritten;
    };
    await write(Buffer.concat(head));
    await copyMedia(source, write, movie, edits);
    return hash.digest('hex');
  } finally {
    await Promise.all([source.close(), sink.close()]);
  }
}

function ofKind(replacements: readonly Replacement[], { kind }: Track): Replacement[] {
  return replacements.filter((replacement) => replacement.kind === kind);
}

/** Where what stands in the base's media comes to stand, counted from the first byte of the new one. */
function layMedia({ media }: Movie, edits: readonly MediaEdit[]) {
  const growth = edits.map(({ bytes, data }) => data.reduce((sum, part) => sum + part.length, -bytes));
  const before = [0];
  for (const [index, grown] of growth.entries()) before.push((before[index] ?? 0) + grown);
  const placeOf = (offset: number) => {
    // The number of edits in front of it.
    let [low, high] = [0, edits.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((edits[middle]?.at ?? Infinity) < offset) low = middle + 1;
      else high = middle;
    }
    return offset - media.start + (before[low] ?? 0);
  };
  return { placeOf, mediaBytes: media.end - media.start + (before.at(-1) ?? 0) };
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

/** Copies the media with its edits, in as few reads and writes as there is room for. */
async function copyMedia(
  source: FileHandle,
  write: (bytes: Uint8Array) => Promise<void>,
  { media }: Movie,
  edits: readonly MediaEdit[],
): Promise<void> {
  const buffer = Buffer.allocUnsafe(copyBytes);
  let filled = 0;
  const flush = async () => {
    await write(buffer.subarray(0, filled));
    filled = 0;
  };
  const copy = async (from: number, to: number) => {
    for (let at = from; at < to;) {
      if (filled === buffer.length) await flush();
      const { bytesRead } = await source.read(buffer, filled, Math.min(to - at, buffer.length - filled), at);
      if (bytesRead === 0) throw new Error('the base is cut off');
      filled += bytesRead;
      at += bytesRead;
    }
  };
  let at = media.start;
  for (const edit of edits) {
    if (edit.at < at) throw new Error('frames of the base lie upon one another');
    await copy(at, edit.at);
    for (const part of edit.data) {
      if (filled + part.length > buffer.length) await flush();
      if (part.length > buffer.length) await write(part);
      else filled += part.copy(buffer, filled);
    }
    at = edit.at + edit.bytes;
  }
  await copy(at, media.end);
  await flush();
}
