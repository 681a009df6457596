import type { CaptionCue, CaptionWord } from '../composition.js';
import { displayWidth } from './display-width.js';

/** What stands between a word and the one before it. */
export function spaceBefore(word: CaptionWord): '' | ' ' {
  return word.glued === true ? '' : ' ';
}

/** The words as one text. */
export function phrase(words: readonly CaptionWord[]): string {
  return words.map((word, index) => (index === 0 ? '' : spaceBefore(word)) + word.text).join('');
}

const widths = new WeakMap<CaptionWord, number>();

/** Width of one word, in average letters; measured once. */
function wordWidth(word: CaptionWord): number {
  const known = widths.get(word);
  if (known !== undefined) return known;
  const width = displayWidth(word.text);
  widths.set(word, width);
  return width;
}

/** Width of the words on one line, in average letters. */
export function phraseWidth(words: readonly CaptionWord[]): number {
  return words.reduce(
    (sum, word, index) => sum + wordWidth(word) + (index > 0 && word.glued !== true ? 0.6 : 0),
    0,
  );
}

/** The words of each line of a cue, in order; words that `lines` does not count stand on the last one. */
export function cueLines(cue: Pick<CaptionCue, 'words' | 'lines'>): CaptionWord[][] {
  let from = 0;
  const lines = cue.lines.map((count, index) => {
    const to = index === cue.lines.length - 1 ? cue.words.length : from + count;
    const line = cue.words.slice(from, to);
    from = to;
    return line;
  });
  return lines.filter((line) => line.length > 0);
}

/**
 * Breaks the words into one line if they fit, else two of about the same width, preferring a break after
 * punctuation and never beginning a line with a part of a word where that can be helped.
 * @returns number of words on each line.
 */
export function balanceLines(words: readonly CaptionWord[], lineLetters: number): number[] {
  const total = phraseWidth(words);
  if (total <= lineLetters || words.length < 2) return [words.length];
  let best = { cost: Infinity, at: 1 };
  let upper = 0;
  for (let at = 1; at < words.length; at += 1) {
    const before = words[at - 1];
    const after = words[at];
    if (before === undefined || after === undefined) break;
    upper += wordWidth(before) + (at > 1 && before.glued !== true ? 0.6 : 0);
    const lower = total - upper;
    const overflow = Math.max(0, upper - lineLetters) + Math.max(0, lower - lineLetters);
    const bonus = /[.!?…।。！？,;:–—、，؟،]$/u.test(before.text) ? 5 : 0;
    const cost = Math.abs(upper - lower) + 100 * overflow + (after.glued === true ? 3 : 0) - bonus;
    if (cost < best.cost) best = { cost, at };
  }
  return [best.at, words.length - best.at];
}
