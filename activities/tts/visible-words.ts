import { segmenter } from '../sentences.js';

/** A word as it stands in a text: `charStart`/`charEnd` in UTF-16 units. */
export interface VisibleWord {
  charStart: number;
  charEnd: number;
}

/** Runs without white space, controls, lone surrogates or zero-width breaks. */
const runPattern = /[^\s\p{Cc}\p{Cs}\u200b\u2060\ufeff]+/gu;
/** Scripts that put no space between words. */
const unspacedPattern =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const spokenPattern = /[\p{L}\p{N}\p{Sc}&@%+=]/u;

/**
 * The words that a reader sees, in order. Punctuation and emoji belong to the word before them, at the start
 * to the one after; a text that has nothing else is taken run by run.
 */
export function visibleWords(text: string, language: string): VisibleWord[] {
  const runs = [...text.matchAll(runPattern)].flatMap((match) => splitRun(match[0], match.index, language));
  if (!runs.some((run) => isSpoken(text, run))) return runs;
  const words: VisibleWord[] = [];
  let leadingStart: number | undefined;
  for (const run of runs) {
    const last = words.at(-1);
    if (isSpoken(text, run)) {
      words.push({ charStart: leadingStart ?? run.charStart, charEnd: run.charEnd });
      leadingStart = undefined;
    } else if (last !== undefined) last.charEnd = run.charEnd;
    else leadingStart ??= run.charStart;
  }
  return words;
}

const isSpoken = (text: string, { charStart, charEnd }: VisibleWord) =>
  spokenPattern.test(text.slice(charStart, charEnd));

function splitRun(run: string, offset: number, language: string): VisibleWord[] {
  if (!unspacedPattern.test(run)) return [{ charStart: offset, charEnd: offset + run.length }];
  return [...segmenter(language, 'word').segment(run)].map(({ index, segment }) => ({
    charStart: offset + index,
    charEnd: offset + index + segment.length,
  }));
}
