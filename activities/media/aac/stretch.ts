import { frameSamples, type AacFormat, type AacStream } from './adts.js';
import { fadesOutLike } from './window.js';

/** Part of a stream, with frames of its neighbours on both sides, so that it can be joined to them. */
export interface AacStretch extends AacFormat {
  /** `leading` frames that belong to what comes before, its own, `trailing` frames of what comes after. */
  frames: readonly Buffer[];
  leading: number;
  trailing: number;
}

/** Two stretches that nowhere fade alike: they were encoded apart and chose other windows around the join. */
export class StretchesApartError extends Error {
  constructor() {
    super('the stretches fit nowhere');
    this.name = 'StretchesApartError';
  }
}

/**
 * Frames to encode anew when the samples from `start` up to but without `end` have changed: each frame holds
 * 2,048 samples, half of which it shares with the frame before it and half with the one after it.
 * @returns indexes in a stream that begins with its priming; `to` is the first frame that is kept.
 */
export function framesAround(start: number, end: number): { from: number; to: number } {
  return { from: Math.floor(start / frameSamples), to: Math.ceil(end / frameSamples) + 1 };
}

/**
 * Puts a stretch in the place of the frames `from` up to but without `to`; it may have more or fewer of its
 * own. What is kept stays as it is, bit for bit, but for the few frames next to a join that may come from
 * the stretch's surroundings.
 *
 * @throws RangeError when the stream has no such frames; Error when the formats differ; StretchesApartError when
 *   the stretch fits nowhere, mostly because the stream is another encoder's, which is then to be encoded anew first.
 */
export function spliceStretch(
  base: AacStream,
  { from, to }: { from: number; to: number },
  stretch: AacStretch,
): AacStream {
  const { length } = base.frames;
  if (from < 0 || to < from || to > length) throw new RangeError(`the stream has ${String(length)} frames`);
  const trailing = Math.min(stretch.leading, length - from);
  const leading = Math.min(stretch.trailing, to);
  const before = { ...base, frames: base.frames.slice(0, from + trailing), leading: 0, trailing };
  const after = { ...base, frames: base.frames.slice(to - leading), leading, trailing: 0 };
  return joinStretches([...(from > 0 ? [before] : []), stretch, ...(to < length ? [after] : [])]);
}

/**
 * Part of a stretch from its own frame `from` up to but without its own frame `to`, with as many frames of its
 * neighbours as the stretch itself has.
 */
export function partOf(stretch: AacStretch, from: number, to: number): AacStretch {
  const { leading, trailing } = stretch;
  return { ...stretch, frames: stretch.frames.slice(from, leading + to + trailing) };
}

/**
 * Joins stretches that follow upon one another to one stream. Where two meet, the frames around the join are
 * there twice; it is cut next to the middle where both fade alike, since what one frame folded back would
 * otherwise be heard.
 * @throws Error when the formats differ; StretchesApartError when two stretches never fade alike.
 */
export function joinStretches(stretches: readonly AacStretch[]): AacStream {
  const [first, ...rest] = stretches;
  if (first === undefined) throw new Error('there is nothing to join');
  const { sampleRate, channels } = first;
  const frames = first.frames.slice(first.leading);
  let before = first;
  for (const next of rest) {
    if (next.sampleRate !== sampleRate || next.channels !== channels) throw new Error('the formats differ');
    const offset = joinOffset(before, next);
    frames.length -= before.trailing - offset;
    frames.push(...next.frames.slice(next.leading + offset));
    before = next;
  }
  return { sampleRate, channels, frames: frames.slice(0, frames.length - before.trailing) };
}

/** By how many frames a join lies behind the place where one stretch ends and the other begins. */
function joinOffset(before: AacStretch, after: AacStretch): number {
  const end = before.frames.length - before.trailing;
  // A frame of both must stand in front of the join, and each has to keep some of its own.
  const own = after.frames.length - after.leading - after.trailing;
  const earliest = Math.max(1 - after.leading, 1 - end);
  const latest = Math.min(before.trailing, own - 1);
  const offsets = Array.from({ length: Math.max(0, latest - earliest + 1) }, (_, n) => earliest + n);
  offsets.sort((a, b) => Math.abs(a) - Math.abs(b));
  const found = offsets.find((offset) => {
    const [one, other] = [before.frames[end + offset - 1], after.frames[after.leading + offset - 1]];
    return one !== undefined && other !== undefined && fadesOutLike(one, other);
  });
  if (found === undefined) throw new StretchesApartError();
  return found;
}
