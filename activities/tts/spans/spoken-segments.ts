import type { NamePosition } from '../../../workflows/contract/personalized.js';
import { type MonoSound, piecesOf } from '../mono-sound.js';

/** A stretch of a recording, in seconds. */
export interface Segment {
  startSeconds: number;
  endSeconds: number;
}

export interface SilenceOptions {
  /** Samples below it are silent, dB of full scale. */
  db: number;
  /** Shorter silences are pauses within what is said. */
  seconds: number;
}

/** A click, not speech. */
const shortestSeconds = 0.05;

/** Listens to mono sound, −1…1, piece after piece. */
export interface Segmenter {
  hear(piece: Float32Array): void;
  /** Of all that was heard. */
  segments(): Segment[];
}

/**
 * Finds the stretches between silences, as ffmpeg's `silencedetect` does: a silence is a run of at least `seconds` in
 * which no sample reaches `db`.
 */
export function createSegmenter(rate: number, { db, seconds }: SilenceOptions): Segmenter {
  const limit = 10 ** (db / 20);
  const longestPause = Math.max(1, Math.round(seconds * rate));
  const runs: { start: number; end: number }[] = [];
  let run: { start: number; end: number } | undefined;
  let heard = 0;
  return {
    hear(piece) {
      for (let n = 0; n < piece.length; n += 1) {
        if (Math.abs(piece[n] ?? 0) < limit) continue;
        const at = heard + n;
        if (run !== undefined && at - run.end < longestPause) run.end = at + 1;
        else {
          run = { start: at, end: at + 1 };
          runs.push(run);
        }
      }
      heard += piece.length;
    },
    segments: () =>
      runs
        .filter(({ start, end }) => end - start >= shortestSeconds * rate)
        .map(({ start, end }) => ({ startSeconds: start / rate, endSeconds: end / rate })),
  };
}

/** The stretches of a recording between its silences. */
export async function spokenSegments(sound: MonoSound, silence: SilenceOptions): Promise<Segment[]> {
  const segmenter = createSegmenter(sound.rate, silence);
  for await (const piece of piecesOf(sound, sound.rate)) segmenter.hear(piece);
  return segmenter.segments();
}

/** Behind the last word, its dying away: a span that takes the new words' length gives way so much. */
const closingSeconds = 0.1;

/**
 * Where a name belongs in a recording without a transcript. `start` takes the place of the first spoken segment. `end`
 * stands behind the last: where the span takes the length of its words, they are put in there and the rest goes on after
 * them, so that the span is short, and empty when the recording ends with its last word; where it keeps its length, the
 * words have all the time until the recording ends.
 *
 * @returns undefined where nothing is said; where the first segment is all that is said, so that its place would take
 *   everything; where no time follows the last, and words would need some.
 */
export async function spanBySilence(
  sound: MonoSound,
  { position, takesWordsLength }: { position: NamePosition; takesWordsLength: boolean },
  silence: SilenceOptions,
): Promise<Segment | undefined> {
  const segments = await spokenSegments(sound, silence);
  if (position === 'start') return segments.length > 1 ? segments[0] : undefined;
  const last = segments.at(-1);
  if (last === undefined) return undefined;
  const duration = sound.samples / sound.rate;
  const rest = { startSeconds: last.endSeconds, endSeconds: duration };
  if (takesWordsLength) {
    return { ...rest, endSeconds: Math.min(duration, last.endSeconds + closingSeconds) };
  }
  return rest.endSeconds - rest.startSeconds < closingSeconds ? undefined : rest;
}
