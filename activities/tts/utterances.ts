import { splitSentences, type TextRange } from '../sentences.js';
import { visibleWords } from './visible-words.js';

/** A stretch of a narration that is spoken, and cached, by itself, and the silence after it. */
export interface Utterance extends TextRange {
  pauseSeconds: number;
}

const maxCharacters = 400;
const minCharacters = 120;
const pauses = { within: 0.12, sentence: 0.42, line: 0.5, paragraph: 0.7 };
const clauseEnd = /[,;:،؛、，；：—–]["'”’»)]*$/u;

/** Sentences, and very long ones in pieces, each with the pause that a reader would make; the last has none. */
export function splitUtterances(text: string, language: string): Utterance[] {
  const utterances = splitSentences(text, language).flatMap((sentence) => {
    const pieces = splitLong(text, sentence, language);
    return pieces.map((piece) => ({ ...piece, pauseSeconds: pauses.within }));
  });
  for (const [n, utterance] of utterances.entries()) {
    const next = utterances[n + 1];
    if (next === undefined) utterance.pauseSeconds = 0;
    else if (endsSentence(text, utterance, next))
      utterance.pauseSeconds = pauseBetween(text, utterance, next);
  }
  return utterances;
}

function endsSentence(text: string, { end }: TextRange, next: TextRange): boolean {
  return (
    /[.!?…。！？।॥؟:]["'”’»)\]]*$/u.test(text.slice(Math.max(0, end - 4), end)) ||
    hasLineBreak(text, end, next.start)
  );
}

function pauseBetween(text: string, { end }: TextRange, next: TextRange): number {
  const between = text.slice(end, next.start);
  if (/\n\s*\n/.test(between)) return pauses.paragraph;
  return hasLineBreak(text, end, next.start) ? pauses.line : pauses.sentence;
}

const hasLineBreak = (text: string, start: number, end: number) =>
  /[\n\r\u2028\u2029]/.test(text.slice(start, end));

function splitLong(text: string, sentence: TextRange, language: string): TextRange[] {
  if (sentence.end - sentence.start <= maxCharacters) return [sentence];
  const pieces: TextRange[] = [];
  let start = sentence.start;
  let clause: number | undefined;
  let lastEnd = start;
  for (const word of visibleWords(text.slice(sentence.start, sentence.end), language)) {
    const end = sentence.start + word.charEnd;
    if (end - start > maxCharacters && lastEnd > start) {
      const cut = clause ?? lastEnd;
      pieces.push({ start, end: cut });
      start = cut + (/^\s*/.exec(text.slice(cut, sentence.end))?.[0].length ?? 0);
      clause = undefined;
    }
    if (end - start >= minCharacters && clauseEnd.test(text.slice(start, end))) clause = end;
    lastEnd = end;
  }
  pieces.push({ start, end: sentence.end });
  return pieces;
}
