/** A transcript with the parts that are replaced for each recipient: `Hello [friend], welcome to [our city|{city}].` */

/** A part to replace, in UTF-16 units of the spoken text. */
export interface MarkedPart {
  charStart: number;
  charEnd: number;
  /** What is said instead, with `{column}` in it; null where the transcript does not say. */
  replacement: string | null;
}

/** What the speaker says, without the marks. */
export interface MarkedTranscript {
  text: string;
  parts: MarkedPart[];
}

/** What is wrong with a transcript; `position` counts characters (code points) from 1. */
export interface TranscriptProblem {
  problem: string;
  position: number;
}

/** Parts have to be heard, so they need a letter or a digit. */
const heardPattern = /[\p{L}\p{N}]/u;
/** Scripts without spaces between words: a part may stand amid them. */
const unspacedPattern =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const wordPattern = /[\p{L}\p{N}\p{M}]/u;
/** Parts words where nobody sees it, and is not spoken. */
const zeroWidthSpace = '\u200b';

/**
 * Reads `[spoken]` and `[spoken|said instead]`. Brackets have no other meaning and cannot be escaped: nobody speaks
 * them.
 */
export function parseMarkedTranscript(source: string): MarkedTranscript | TranscriptProblem {
  let text = '';
  const parts: MarkedPart[] = [];
  let at = 0;
  while (at < source.length) {
    const mark = indexOfMark(source, at);
    text += source.slice(at, mark);
    if (mark === source.length) break;
    if (source[mark] === ']') return problemAt(source, mark, 'a bracket is closed that was not opened');
    const end = indexOfMark(source, mark + 1);
    if (end === source.length) return problemAt(source, mark, 'a bracket is not closed');
    if (source[end] === '[') return problemAt(source, end, 'a bracket is opened inside another');
    const inner = source.slice(mark + 1, end);
    const bar = inner.indexOf('|');
    const spoken = (bar < 0 ? inner : inner.slice(0, bar)).trim();
    const replacement = bar < 0 ? null : inner.slice(bar + 1).trim();
    if (!heardPattern.test(spoken)) return problemAt(source, mark, 'a bracket has no word in it');
    if (replacement !== null && replacement === '') {
      return problemAt(source, mark, 'a bracket has nothing after its |');
    }
    const before = joint(lastCharacter(text), firstCharacter(spoken));
    const after = joint(lastCharacter(spoken), firstCharacter(source.slice(end + 1)));
    if (before === 'within' || after === 'within') {
      return problemAt(source, mark, 'a bracket begins or ends inside a word');
    }
    if (before === 'unspaced') text += zeroWidthSpace;
    parts.push({ charStart: text.length, charEnd: text.length + spoken.length, replacement });
    text += spoken + (after === 'unspaced' ? zeroWidthSpace : '');
    at = end + 1;
  }
  if (parts.length === 0) return { problem: 'there is no part in brackets', position: 1 };
  return { text, parts };
}

/**
 * Marks words of a plain transcript, each after the one before it: `NAME1` is said as `{NAME1}`.
 * @param markers words as they stand in the transcript, in speaking order; case and accents count.
 */
export function markWords(
  transcript: string,
  markers: readonly string[],
): MarkedTranscript | TranscriptProblem {
  const parts: MarkedPart[] = [];
  let from = 0;
  for (const marker of markers) {
    const start = indexOfWord(transcript, marker, from);
    if (start === undefined) {
      return problemAt(transcript, from, `the word "${marker}" is not found from here on`);
    }
    from = start + marker.length;
    parts.push({ charStart: start, charEnd: from, replacement: `{${marker}}` });
  }
  if (parts.length === 0) return { problem: 'no word is named', position: 1 };
  return { text: transcript, parts };
}

function indexOfMark(source: string, from: number): number {
  const marks = [source.indexOf('[', from), source.indexOf(']', from)].filter((index) => index >= 0);
  return Math.min(source.length, ...marks);
}

function indexOfWord(text: string, word: string, from: number): number | undefined {
  for (let at = text.indexOf(word, from); at >= 0; at = text.indexOf(word, at + 1)) {
    const before = joint(lastCharacter(text.slice(0, at)), firstCharacter(word));
    const after = joint(lastCharacter(word), firstCharacter(text.slice(at + word.length)));
    if (before !== 'within' && after !== 'within') return at;
  }
  return undefined;
}

/** How two characters meet: amid a word, between words of a script without spaces, or neither. */
function joint(left: string, right: string): 'within' | 'unspaced' | 'apart' {
  if (!wordPattern.test(left) || !wordPattern.test(right)) return 'apart';
  return unspacedPattern.test(left) || unspacedPattern.test(right) ? 'unspaced' : 'within';
}

const firstCharacter = (text: string) => {
  const code = text.codePointAt(0);
  return code === undefined ? '' : String.fromCodePoint(code);
};
const lastCharacter = (text: string) => [...text.slice(-2)].at(-1) ?? '';

const problemAt = (source: string, index: number, problem: string): TranscriptProblem => ({
  problem,
  position: [...source.slice(0, index)].length + 1,
});
