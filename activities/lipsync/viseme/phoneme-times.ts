import type { PhonemeTiming, WordTiming } from '../../../workflows/contract/documents.js';
import type { SpeechTimes } from '../lip-sync.js';

/** Says a text with a voice whose phoneme times are known, e.g. espeak. Times from the start of its audio. */
export type PhonemesOfText = (
  text: string,
  language: string,
  signal: AbortSignal,
) => Promise<{ words: readonly WordTiming[]; phonemes: readonly PhonemeTiming[] }>;

/**
 * Phonemes with their times: as given, or where only words are known, those of a synthetic voice that says the same
 * words, each word stretched to the time that it takes in the speech. Undefined where not even words are known.
 */
export async function phonemesOf(
  speech: SpeechTimes,
  speak: PhonemesOfText,
  signal: AbortSignal,
): Promise<readonly PhonemeTiming[] | undefined> {
  if (speech.phonemes.length > 0) return speech.phonemes;
  if (speech.words.length === 0) return undefined;
  const text = speech.words.map((word) => word.text).join(' ');
  const spoken = await speak(text, speech.language, signal);
  const knots = knotsOf(spoken.words, speech.words);
  return spoken.phonemes.map(({ phoneme, startSeconds, endSeconds }) => ({
    phoneme,
    startSeconds: through(knots, startSeconds),
    endSeconds: through(knots, endSeconds),
  }));
}

type Knot = readonly [from: number, to: number];

/** Where each word's borders go. Both lists say the same text, though one may divide it further than the other. */
function knotsOf(from: readonly WordTiming[], to: readonly WordTiming[]): Knot[] {
  if (from.length !== to.length || from.length === 0) {
    return [
      [from[0]?.startSeconds ?? 0, to[0]?.startSeconds ?? 0],
      [from.at(-1)?.endSeconds ?? 1, to.at(-1)?.endSeconds ?? 1],
    ];
  }
  const knots: Knot[] = from.flatMap((word, n) => {
    const other = to[n] ?? word;
    return [
      [word.startSeconds, other.startSeconds],
      [word.endSeconds, other.endSeconds],
    ] satisfies Knot[];
  });
  return knots.filter(([at], n) => n === 0 || at > (knots[n - 1]?.[0] ?? 0));
}

/** Linear between knots, and on at the same pace beyond them. */
function through(knots: readonly Knot[], time: number): number {
  const after = knots.findIndex(([at]) => at > time);
  const [a, at] = knots[(after < 0 ? knots.length : after) - 1] ?? [0, 0];
  const [b, bt] = knots[after] ?? [a, at];
  return after <= 0 || b === a ? at + (time - a) : at + ((time - a) / (b - a)) * (bt - at);
}
