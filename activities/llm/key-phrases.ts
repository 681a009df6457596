import { splitSentences, supportedLocale } from '../sentences.js';

const stopWords = new Set(
  (
    'a an the and or but nor so yet if then than that this these those there here it its it’s is are was were be been being am ' +
    'do does did done has have had having will would shall should can could may might must of in on at by for from to into ' +
    'onto with without within about over under after before between through during against among as not no yes i you he she we ' +
    'they me him her us them my your his our their who whom whose which what when where why how all any both each every few ' +
    'more most other some such only own same too very just also even still ever never always often sometimes one two three ' +
    'again once because while until since like say says said get gets got make makes made take takes took put goes go went ' +
    'come comes came thing things something anything nothing else up down out off away back first second third last next ' +
    'der die das und oder aber ein eine einen einem einer ist sind war mit von zu im am auf für als auch nicht wird werden ' +
    'le la les un une des et ou mais est sont dans sur pour par avec que qui ne pas ce cette ' +
    'el los las una y o pero es son en por para con que no se su del al ' +
    'है हैं था थी थे और का की के को में से पर यह वह एक भी ही तो नहीं जो कि ने'
  ).split(' '),
);

interface Word {
  text: string;
  start: number;
  end: number;
  /** Position of the clause that it stands in. */
  clause: number;
}

const clauseMark = /[,;:.!?…()[\]{}"“”«»„—–،؛؟。！？：；、，।॥|]/u;
/** Words that open a clause of their own, and words that turn one's meaning round. */
const openers = new Set(
  'and or but nor so that which who because when if while then und oder aber weil et ou mais y o pero और या'.split(
    ' ',
  ),
);
const negations = new Set(
  'not no never none nobody nothing cannot without nicht kein keine pas jamais nunca नहीं'.split(' '),
);
const isNegation = (word: string) => negations.has(word.toLowerCase()) || /n['’]t$/i.test(word);

const maxPhraseWords = 6;
const maxPhraseCharacters = 42;
/** Below it a phrase says too little to stand on a slide, if there are others. */
const minScore = 1.3;

/**
 * Short phrases that stand in a text, at most one a sentence, in the order of the text: `limit` of the weightiest.
 * A phrase begins and ends with a telling word and keeps to one clause. Deterministic, any language.
 */
export function keyPhrases(text: string, language: string, limit: number): string[] {
  const weights = wordWeights(text, language);
  const taken: string[] = [];
  const found = splitSentences(text, language).flatMap(({ start, end }) => {
    const phrase = bestPhrase(text.slice(start, end), language, weights, taken);
    if (phrase === undefined) return [];
    taken.push(phrase.text);
    return [phrase];
  });
  const enough = found.filter(({ score }) => score >= minScore);
  const kept = new Set(
    [...(enough.length >= 2 ? enough : found)].sort((a, b) => b.score - a.score).slice(0, limit),
  );
  return found.filter((phrase) => kept.has(phrase)).map((phrase) => capitalized(phrase.text));
}

function capitalized(phrase: string): string {
  const [first = '', ...rest] = phrase;
  return first.toLocaleUpperCase() + rest.join('');
}

function bestPhrase(sentence: string, language: string, weights: Map<string, number>, taken: string[]) {
  const words = wordsOf(sentence, language);
  let best: { text: string; score: number } | undefined;
  for (let first = 0; first < words.length; first += 1) {
    for (let last = first; last < Math.min(words.length, first + maxPhraseWords); last += 1) {
      const phrase = words.slice(first, last + 1);
      if (phrase[0]?.clause !== phrase.at(-1)?.clause) break;
      const text = sentence.slice(phrase[0]?.start, phrase.at(-1)?.end);
      if (text.length > maxPhraseCharacters) break;
      const score =
        phraseScore(phrase, words[first - 1], words[last + 1], weights) *
        (losesNegation(words, phrase) ? 0.2 : 1);
      if (score > (best?.score ?? 0) && !taken.some((other) => alike(other, text, language)))
        best = { text, score };
    }
  }
  return best;
}

/** Whether two phrases say the same: most telling words of the shorter stand in the longer. */
function alike(a: string, b: string, language: string): boolean {
  const [short, long] = [a, b]
    .map(
      (phrase) =>
        new Set(
          wordsOf(phrase, language)
            .map(({ text }) => text.toLowerCase())
            .filter(isTelling),
        ),
    )
    .sort((x, y) => x.size - y.size);
  if (short === undefined || long === undefined || short.size === 0) return a === b;
  return [...short].filter((word) => long.has(word)).length > short.size * 0.6;
}

/** "Not every failure is the same" must not become "failure is the same". */
function losesNegation(words: Word[], phrase: Word[]): boolean {
  const clause = phrase[0]?.clause;
  return words.some((word) => word.clause === clause && isNegation(word.text) && !phrase.includes(word));
}

/** Telling words count by their weight; a phrase that fills its clause to the end reads as if it were meant. */
function phraseScore(
  phrase: Word[],
  before: Word | undefined,
  after: Word | undefined,
  weights: Map<string, number>,
): number {
  const telling = phrase.filter(({ text }) => isTelling(text));
  const [first, last] = [phrase[0], phrase.at(-1)];
  if (first === undefined || last === undefined || !isTelling(first.text) || !isTelling(last.text)) return 0;
  const weight = telling.reduce((sum, { text }) => sum + (weights.get(text.toLowerCase()) ?? 1), 0);
  const endsClause = after === undefined || after.clause !== last.clause ? 1.35 : 1;
  const beginsClause = before === undefined || before.clause !== first.clause ? 1.1 : 1;
  const filler = 1 - (0.12 * (phrase.length - telling.length)) / phrase.length;
  const length = phrase.length === 1 ? 0.45 : phrase.length === 2 ? 0.9 : phrase.length > 4 ? 0.9 : 1;
  return (weight / Math.sqrt(telling.length)) * endsClause * beginsClause * filler * length;
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

function isTelling(word: string): boolean {
  const plain = word.toLowerCase().replace(/['’].*$/, '');
  return (
    plain.length > 1 && !stopWords.has(plain) && !stopWords.has(word.toLowerCase()) && /\p{L}/u.test(word)
  );
}

function wordsOf(text: string, language: string): Word[] {
  const words: Word[] = [];
  let clause = 0;
  for (const { segment, index, isWordLike } of segmenter(language).segment(text)) {
    if (isWordLike === true && openers.has(segment.toLowerCase())) clause += 1;
    if (isWordLike === true) words.push({ text: segment, start: index, end: index + segment.length, clause });
    else if (clauseMark.test(segment)) clause += 1;
  }
  return words;
}

const segmenters = new Map<string, Intl.Segmenter>();

function segmenter(language: string): Intl.Segmenter {
  const known = segmenters.get(language);
  if (known !== undefined) return known;
  const made = new Intl.Segmenter(supportedLocale(language), { granularity: 'word' });
  segmenters.set(language, made);
  return made;
}
