import type { Track } from './movie.js';
import type { Chunk, Sample } from './sample-tables.js';

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

/** Bytes of the base's file that give way to others. */
export interface MediaEdit {
  at: number;
  bytes: number;
  data: readonly Buffer[];
}

export interface EditedTrack {
  track: Track;
  /** Null for a track of which nothing is replaced. */
  samples: Omit<Sample, 'offset'>[] | null;
  /** By their places in the base; those that lost all their samples are left out. */
  chunks: Chunk[];
  edits: MediaEdit[];
}

/**
 * What replacements change of a track. New samples stand where the old ones stood, spread over their places, so
 * that picture and sound stay as close to each other in the file as they were.
 * @throws RangeError when replacements overlap, lie outside of the track or replace nothing.
 */
export function editTrack(track: Track, replacements: readonly Replacement[]): EditedTrack {
  if (replacements.length === 0) return { track, samples: null, chunks: track.chunks, edits: [] };
  const hosted = hostedSamples(track, replacements);
  const samples: Omit<Sample, 'offset'>[] = [];
  const edits: MediaEdit[] = [];
  for (const [index, sample] of track.samples.entries()) {
    const fresh = hosted.get(index);
    if (fresh === undefined) samples.push(sample);
    else {
      const { offset: at, bytes } = sample;
      edits.push({ at, bytes, data: fresh.map(({ data }) => data) });
      for (const { data, ...facts } of fresh) samples.push({ ...facts, bytes: data.length });
    }
  }
  let first = 0;
  const chunks = track.chunks.flatMap(({ offset, samples: count }) => {
    let left = 0;
    for (let index = first; index < first + count; index += 1) left += hosted.get(index)?.length ?? 1;
    first += count;
    return left === 0 ? [] : [{ offset, samples: left }];
  });
  return { track, samples, chunks, edits };
}

/** The new samples by the index of the one in whose place they stand; an empty list where one only goes. */
function hostedSamples(
  { sampleCount }: Track,
  replacements: readonly Replacement[],
): Map<number, NewSample[]> {
  const hosted = new Map<number, NewSample[]>();
  let next = 0;
  for (const { from, to, samples } of replacements.toSorted((one, other) => one.from - other.from)) {
    if (from < next || to <= from || to > sampleCount) {
      throw new RangeError('replacements overlap, lie outside of the track or replace nothing');
    }
    for (let index = from; index < to; index += 1) hosted.set(index, []);
    for (const [index, sample] of samples.entries()) {
      hosted.get(from + Math.floor((index * (to - from)) / samples.length))?.push(sample);
    }
    next = to;
  }
  return hosted;
}
