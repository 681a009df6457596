import { splitSentences } from '../sentences.js';
import { type Clause, clausesOf, fillerWorth, wordsOf } from './clauses.js';
import { isTelling } from './function-words.js';

/** With so many statements a slide needs no mere names beside them. */
const enoughPhrases = 2;
/** Below it a phrase says too little to stand on a slide. */
const minScore = 0.9;

/**
 * Short statements that stand in a text, at most one a sentence, in the order of the text: the `limit` weightiest.
 * Rather none than one that is cut off, leans on what was said before, or repeats a heading that is `known`. Deterministic, any language.
 */
export function keyPhrases(
  text: string,
  language: string,
  limit: number,
  known: readonly string[] = [],
): string[] {
  const weights = wordWeights(text, language);
  const taken: string[] = [];
  const found = splitSentences(text, language).flatMap(({ start, end }) => {
    const sentence = text.slice(start, end);
    const best = clausesOf(sentence, language)
      .map((clause) => ({
        text: textOf(sentence, clause),
        score: scoreOf(clause, weights),
        isFiller: clause.worth === fillerWorth,
      }))
      .filter(({ score }) => score >= minScore)
      .sort((a, b) => b.score - a.score)
      .find(
        (phrase) =>
          !taken.some((other) => alike(other, phrase.text, language)) &&
          !known.some((heading) => adds(phrase.text, heading, language) < 0.4),
      );
    if (best === undefined) return [];
    taken.push(best.text);
    return [best];
  });
  const statements = found.filter(({ isFiller }) => !isFiller);
  const enough = statements.length >= enoughPhrases ? statements : found;
  const kept = new Set([...enough].sort((a, b) => b.score - a.score).slice(0, limit));
  return found.filter((phrase) => kept.has(phrase)).map((phrase) => capitalized(phrase.text));
}

const textOf = (sentence: string, { words }: Clause) =>
  sentence.slice(words[0]?.start, words.at(-1)?.end).replace(/\s+/g, ' ');

function capitalized(phrase: string): string {
  const [first = '', ...rest] = phrase;
  return first.toLocaleUpperCase() + rest.join('');
}

/** Whether two phrases say the same: most telling words of the shorter stand in the longer. */
function alike(a: string, b: string, language: string): boolean {
  const [short, long] = [a, b]
    .map((phrase) => tellingWords(phrase, language))
    .sort((x, y) => x.size - y.size);
  if (short === undefined || long === undefined || short.size === 0) return a === b;
  return [...short].filter((word) => long.has(word)).length > short.size * 0.6;
}

/** How much of a phrase's telling words is not in the heading above it, 0–1. */
function adds(phrase: string, heading: string, language: string): number {
  const said = tellingWords(heading, language);
  const words = [...tellingWords(phrase, language)];
  return words.filter((word) => !said.has(word)).length / Math.max(1, words.length);
}

function tellingWords(phrase: string, language: string): Set<string> {
  return new Set(
    wordsOf(phrase, language)
      .map(({ text }) => text.toLowerCase())
      .filter(isTelling),
  );
}

/** Telling words count by their weight; a line of three to seven words is read at a glance. */
function scoreOf({ words, worth }: Clause, weights: Map<string, number>): number {
  const telling = words.filter(({ text }) => isTelling(text));
  const weight = telling.reduce((sum, { text }) => sum + (weights.get(text.toLowerCase()) ?? 1), 0);
  const length = words.length < 3 ? 0.75 : words.length > 7 ? 0.9 : 1;
  return (weight / Math.sqrt(Math.max(1, telling.length))) * worth * length;
}

/** A word that comes again is what the text is about; a long one says more than a short one. */
function wordWeights(text: string, language: string): Map<string, number> {
  const weights = new Map<string, number>();
  for (const { text: word } of wordsOf(text, language)) {
    const key = word.toLowerCase();
    if (isTelling(word)) weights.set(key, (weights.get(key) ?? 0.6) + 0.4 + Math.min(8, word.length) / 20);
  }
  for (const [key, weight] of weights) weights.set(key, Math.min(weight, 2.5));
  return weights;
}
