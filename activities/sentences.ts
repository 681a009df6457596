/** A stretch of a text, in UTF-16 units, without white space around it. */
export interface TextRange {
  start: number;
  end: number;
}

/** Abbreviations that end in a full stop in the middle of a sentence, in lower case. */
const abbreviations = new Set(
  (
    'mr mrs ms dr prof sr jr st mt no nos vs etc e.g i.e cf approx fig figs eq ca inc ltd co corp dept est gen ' +
    'col sgt capt rev hon vol pp ed eds al art ch sec z.b d.h bzw usw ca nr hr fr bspw p.ex sra dra sig тов им'
  ).split(' '),
);

/**
 * Sentences of a text in any language, by Unicode's rules (UAX 29), which know no abbreviations: what they cut
 * after "Dr." or an initial is joined again. A line break always ends a sentence.
 */
export function splitSentences(text: string, language: string): TextRange[] {
  const sentences: TextRange[] = [];
  for (const { start, end } of segments(text, language)) {
    const range = trimmedRange(text, start, end);
    if (range === undefined) continue;
    const last = sentences.at(-1);
    if (last !== undefined && continues(text, last, range)) last.end = range.end;
    else sentences.push(range);
  }
  return sentences;
}

/** The segmenter's time grows with the square of its text, so it sees a window at a time. */
const windowCharacters = 4_000;

function* segments(text: string, language: string): Generator<TextRange> {
  let at = 0;
  while (at < text.length) {
    const window = text.slice(at, at + windowCharacters);
    const isLast = at + window.length >= text.length;
    const found = [...segmenter(language, 'sentence').segment(window)];
    // The last sentence of a window may go on behind it.
    const whole = isLast || found.length === 1 ? found : found.slice(0, -1);
    for (const { index, segment } of whole) yield { start: at + index, end: at + index + segment.length };
    at += whole.reduce((sum, { segment }) => sum + segment.length, 0);
  }
}

function trimmedRange(text: string, start: number, end: number): TextRange | undefined {
  const piece = text.slice(start, end);
  const body = piece.trim();
  if (body === '') return undefined;
  const offset = start + piece.indexOf(body);
  return { start: offset, end: offset + body.length };
}

function continues(text: string, before: TextRange, after: TextRange): boolean {
  if (/[\n\r\u2028\u2029]/.test(text.slice(before.end, after.start))) return false;
  const next = text.slice(after.start, after.end);
  // Closing marks and lone symbols say nothing by themselves.
  if (!/[\p{L}\p{N}]/u.test(next)) return true;
  // “Well!” he said.
  if (/^\p{Ll}/u.test(next)) return true;
  const lastWord = /([\p{L}\p{N}.]+)\.$/u.exec(
    text.slice(Math.max(before.start, before.end - 20), before.end),
  )?.[1];
  if (lastWord === undefined) return false;
  return /^\p{Lu}$/u.test(lastWord) || abbreviations.has(lastWord.toLowerCase());
}

const segmenters = new Map<string, Intl.Segmenter>();

/** Made once for a language: making one takes longer than most texts take to be cut. */
export function segmenter(language: string, granularity: 'sentence' | 'word'): Intl.Segmenter {
  const key = `${granularity} ${language}`;
  const known = segmenters.get(key);
  if (known !== undefined) return known;
  const made = new Intl.Segmenter(supportedLocale(language), { granularity });
  segmenters.set(key, made);
  return made;
}

/** English rules for a tag that is none: the rules hardly differ between languages. */
function supportedLocale(language: string): string {
  try {
    return Intl.Segmenter.supportedLocalesOf([language])[0] ?? 'en';
  } catch {
    return 'en';
  }
}
