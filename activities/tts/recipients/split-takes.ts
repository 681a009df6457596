import type { WordTiming } from '../../../workflows/contract/documents.js';
import { toFloat } from '../pcm.js';
import { createSegmenter } from '../spans/spoken-segments.js';
import { voiceRate, type SpokenText } from '../voice.js';

export interface TakesExpected {
  /** In the order in which they were said. */
  texts: readonly string[];
  /** Stood between two of them in the text that was said. */
  gap: string;
  /** Level in dBFS and length in seconds of what counts as a silence between two. */
  silenceDb: number;
  silenceSeconds: number;
}

/** Kept of the silence around a take. */
const marginSeconds = 0.03;
/** How many times longer or shorter than usual a letter may take: beyond it two takes were cut in the wrong place. */
const paceTolerance = 3;

/**
 * Cuts speech of several texts at its silences. Where the voice told the words' times, they have to agree with the cuts.
 * @returns one take a text, or undefined when the silences do not give just that: then nothing of it can be trusted
 */
export function splitTakes(spoken: SpokenText, expected: TakesExpected): SpokenText[] | undefined {
  const { texts, silenceDb, silenceSeconds } = expected;
  const segmenter = createSegmenter(voiceRate, { db: silenceDb, seconds: silenceSeconds });
  segmenter.hear(toFloat(spoken.pcm));
  const segments = segmenter.segments();
  if (segments.length !== texts.length) return undefined;
  const paces = segments.map(
    ({ startSeconds, endSeconds }, index) => (endSeconds - startSeconds) / lettersOf(texts[index] ?? ''),
  );
  const usual = paces.toSorted((a, b) => a - b)[Math.floor(paces.length / 2)] ?? 0;
  if (paces.some((pace) => pace > usual * paceTolerance || pace < usual / paceTolerance)) return undefined;
  const takes: SpokenText[] = [];
  let charStart = 0;
  for (const [index, text] of texts.entries()) {
    const { startSeconds = 0, endSeconds = 0 } = segments[index] ?? {};
    const words = wordsOf(spoken.words, text, charStart);
    charStart += text.length + expected.gap.length;
    const isInside = words.every((word) => {
      const middle = (word.startSeconds + word.endSeconds) / 2;
      return middle >= startSeconds - marginSeconds && middle <= endSeconds + marginSeconds;
    });
    if (!isInside) return undefined;
    takes.push(takeOf(spoken, words, startSeconds, endSeconds));
  }
  return takes;
}

/** The words of one of the texts, which begins at `from` of the whole, as they stand in it. */
function wordsOf(words: readonly WordTiming[], text: string, from: number): WordTiming[] {
  return words
    .filter(({ charStart }) => charStart >= from && charStart < from + text.length)
    .map((word) => {
      const charStart = word.charStart - from;
      const charEnd = Math.min(text.length, word.charEnd - from);
      return { ...word, text: text.slice(charStart, charEnd), charStart, charEnd };
    });
}

function takeOf(
  { pcm, phonemes }: SpokenText,
  words: readonly WordTiming[],
  startSeconds: number,
  endSeconds: number,
): SpokenText {
  const from = Math.max(0, startSeconds - marginSeconds);
  const to = Math.min(pcm.length / voiceRate, endSeconds + marginSeconds);
  const moved = <T extends { startSeconds: number; endSeconds: number }>(timing: T): T => ({
    ...timing,
    startSeconds: Math.min(to - from, Math.max(0, timing.startSeconds - from)),
    endSeconds: Math.min(to - from, Math.max(0, timing.endSeconds - from)),
  });
  return {
    pcm: pcm.slice(Math.round(from * voiceRate), Math.round(to * voiceRate)),
    words: words.map(moved),
    phonemes: phonemes.filter((timing) => timing.endSeconds > from && timing.startSeconds < to).map(moved),
  };
}

/** A short name has an onset and an end of its own, whatever its letters. */
function lettersOf(text: string): number {
  return 2 + [...text].filter((character) => /[\p{L}\p{N}]/u.test(character)).length;
}
