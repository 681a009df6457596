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
  return spoken.phonemes.map((timing) => {
    const [from, to] = placeOf(timing, spoken.words, speech.words);
    const scale = (to.endSeconds - to.startSeconds) / Math.max(1e-3, from.endSeconds - from.startSeconds);
    const moved = (seconds: number) => to.startSeconds + (seconds - from.startSeconds) * scale;
    return {
      phoneme: timing.phoneme,
      startSeconds: moved(timing.startSeconds),
      endSeconds: moved(timing.endSeconds),
    };
  });
}

type Span = Pick<WordTiming, 'startSeconds' | 'endSeconds'>;

/** The word in which a phoneme is said, in both speeches; all of them where the two count their words differently. */
function placeOf(
  { startSeconds, endSeconds }: PhonemeTiming,
  from: readonly WordTiming[],
  to: readonly WordTiming[],
): [from: Span, to: Span] {
  const middle = (startSeconds + endSeconds) / 2;
  const next = from.findIndex((word) => word.startSeconds > middle);
  const n = next < 0 ? from.length - 1 : Math.max(0, next - 1);
  const [own, other] = [from[n], to[n]];
  return from.length === to.length && own && other ? [own, other] : [wholeOf(from), wholeOf(to)];
}

const wholeOf = (words: readonly WordTiming[]): Span => ({
  startSeconds: words[0]?.startSeconds ?? 0,
  endSeconds: words.at(-1)?.endSeconds ?? 1,
});
