import { toFloat } from '../pcm.js';
import { spokenSegments } from '../spans/spoken-segments.js';
import { voiceRate, type SpokenText } from '../voice.js';

export interface TakesExpected {
  /** In the order in which they were said. */
  texts: readonly string[];
  /** Level in dBFS and length in seconds of what counts as a silence between two. */
  silenceDb: number;
  silenceSeconds: number;
}

/** Kept of the silence around a take. */
const marginSeconds = 0.03;
/** How many times longer or shorter than usual a letter may take: beyond it two takes were cut in the wrong place. */
const paceTolerance = 3;

/**
 * Cuts speech of several texts at its silences.
 * @returns one take a text, or undefined when the silences do not give just that: then nothing of it can be trusted
 */
export function splitTakes(spoken: SpokenText, expected: TakesExpected): SpokenText[] | undefined {
  const { texts, silenceDb, silenceSeconds } = expected;
  const segments = spokenSegments(toFloat(spoken.pcm), voiceRate, { db: silenceDb, seconds: silenceSeconds });
  if (segments.length !== texts.length) return undefined;
  const paces = segments.map(
    ({ startSeconds, endSeconds }, index) => (endSeconds - startSeconds) / lettersOf(texts[index] ?? ''),
  );
  const usual = paces.toSorted((a, b) => a - b)[Math.floor(paces.length / 2)] ?? 0;
  if (paces.some((pace) => pace > usual * paceTolerance || pace < usual / paceTolerance)) return undefined;
  return segments.map(({ startSeconds, endSeconds }) => {
    const from = Math.max(0, startSeconds - marginSeconds);
    const to = Math.min(spoken.pcm.length / voiceRate, endSeconds + marginSeconds);
    const inside = <T extends { startSeconds: number; endSeconds: number }>(timings: readonly T[]): T[] =>
      timings
        .filter((timing) => timing.endSeconds > from && timing.startSeconds < to)
        .map((timing) => ({
          ...timing,
          startSeconds: Math.max(0, timing.startSeconds - from),
          endSeconds: Math.min(to, timing.endSeconds) - from,
        }));
    return {
      pcm: spoken.pcm.slice(Math.round(from * voiceRate), Math.round(to * voiceRate)),
      words: inside(spoken.words),
      phonemes: inside(spoken.phonemes),
    };
  });
}

/** A short name has an onset and an end of its own, whatever its letters. */
function lettersOf(text: string): number {
  return 2 + [...text].filter((character) => /[\p{L}\p{N}]/u.test(character)).length;
}
