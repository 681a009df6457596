import { segmenter } from '../sentences.js';
import {
  coordinators,
  cuttingPrepositions,
  danglingEnds,
  determiners,
  isNegation,
  isTelling,
  leadIns,
  leaningStarts,
  subordinators,
} from './function-words.js';

export interface Word {
  text: string;
  start: number;
  end: number;
}

/** A stretch of a sentence that can stand alone on a slide. `worth`: 1 for a whole sentence, less for a part. */
export interface Clause {
  words: Word[];
  worth: number;
}

const wholeWorth = 1.3;
/** What names a thing without saying anything of it: for slides that have little else. */
export const fillerWorth = 0.6;

const maxWords = 9;
/** Signs of scripts without spaces are as wide as two letters. */
const maxWidth = 52;
const wideSign = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu;

/** "The second idea is to name each result": what follows is the statement. */
const announced =
  /^(?:the|a|an|one|our|your|its) (?:\p{L}+ )?(?:idea|trick|goal|aim|point|rule|step|answer|art|task|job|plan|key|secret) is to /iu;

const boundary = /[,;:.!?…()[\]{}—–،؛؟。！？：；、，।॥|]/u;
const strongBoundary = /[;:.!?…—–؛؟。！？：；।॥]/u;
const quotation = /["“”«»„]/u;
/** Addresses, file names and settings read badly on a slide. */
const codeSign = /[\\/@=<>{}_#]|\p{L}\.\p{L}/u;

/**
 * The parts of one sentence that are whole: the sentence itself, what stands between its marks, or a clause up to a
 * conjunction. Nothing that leans on another part ("which…", "it…", "in the middle…") or ends in a word that waits
 * for more. Rules for English, of which the ones about marks hold for any language.
 */
export function clausesOf(sentence: string, language: string): Clause[] {
  const words = wordsOf(sentence, language);
  if (words.length === 0 || /[?？؟]\s*["”’»)]*$/u.test(sentence)) return [];
  const found: Clause[] = [];
  const offer = (stretch: Word[], worth: number) => {
    const clause = withoutLeadIn(stretch);
    if (isPresentable(sentence, clause, worth === wholeWorth)) found.push({ words: clause, worth });
  };
  offer(withoutAnnouncement(sentence, words), wholeWorth);
  for (const [n, segment] of segmentsOf(sentence, words).entries()) {
    if (segment.isQuoted || (n > 0 && !standsAlone(segment))) continue;
    const stretch = n === 0 ? withoutAnnouncement(sentence, segment.words) : segment.words;
    offer(stretch, segment.words.length === words.length ? wholeWorth : 1.15);
    for (const cut of cuts(stretch)) offer(stretch.slice(0, cut.at), cut.worth);
    for (const noun of nounChains(segment.words)) offer(noun, fillerWorth);
  }
  return found;
}

interface Segment {
  words: Word[];
  /** The mark before it ends a thought, or the part before it was only a condition. */
  opens: boolean;
  isQuoted: boolean;
}

/** Between punctuation marks. */
function segmentsOf(sentence: string, words: Word[]): Segment[] {
  const segments: Segment[] = [];
  let last: Word | undefined;
  for (const word of words) {
    const between = last === undefined ? sentence.slice(0, word.start) : sentence.slice(last.end, word.start);
    const segment = segments.at(-1);
    const isQuoted = quotation.test(between) || codeSign.test(between);
    if (segment === undefined || isQuoted || boundary.test(between)) {
      if (segment !== undefined && isQuoted) segment.isQuoted = true;
      const before = segment?.words[0]?.text.toLowerCase();
      const follows = before !== undefined && (leaningStarts.has(before) || leadIns.has(before));
      const joins = coordinators.has(word.text.toLowerCase()) || leadIns.has(word.text.toLowerCase());
      segments.push({ words: [word], opens: strongBoundary.test(between) || follows || joins, isQuoted });
    } else segment.words.push(word);
    last = word;
  }
  const tail = segments.at(-1);
  if (tail !== undefined && last !== undefined && quotation.test(sentence.slice(last.end)))
    tail.isQuoted = true;
  return segments;
}

/** After a mere comma a noun is likely one item of a list; an imperative ("keep the sound") is a clause. */
function standsAlone({ words, opens }: Segment): boolean {
  const first = words[0]?.text ?? '';
  return opens || (!determiners.has(first.toLowerCase()) && !/^[\p{Lu}\p{N}]/u.test(first));
}

function withoutLeadIn(words: Word[]): Word[] {
  const first = words[0]?.text.toLowerCase() ?? '';
  return words.length > 2 && leadIns.has(first) ? withoutLeadIn(words.slice(1)) : words;
}

function withoutAnnouncement(sentence: string, words: Word[]): Word[] {
  const from = words[0]?.start ?? 0;
  const match = announced.exec(sentence.slice(from));
  if (match === null) return words;
  return words.filter(({ start }) => start >= from + match[0].length);
}

/** Places where a stretch may end early, and what is left of its worth. */
function cuts(words: Word[]): { at: number; worth: number }[] {
  const places: { at: number; worth: number }[] = [];
  const inner = words.findIndex(({ text }, at) => at > 0 && innerClause.test(text));
  for (const [at, { text }] of words.entries()) {
    if (at < 3) continue;
    // What is cut within an inner clause ("reads what the step | before it left") loses its verb.
    if (inner > 0 && at > inner) break;
    const word = text.toLowerCase();
    const isNegated = words.slice(0, at).some((before) => isNegation(before.text));
    if (coordinators.has(word)) {
      const goesOn = determiners.has(words[at + 1]?.text.toLowerCase() ?? '');
      places.push({ at, worth: goesOn ? 0.7 : 1 });
    } else if (subordinators.has(word) && !isNegated) places.push({ at, worth: 0.9 });
    else if (cuttingPrepositions.has(word) && !isNegated && at > 3 && endsInNoun(words.slice(0, at)))
      places.push({ at, worth: 0.7 });
  }
  return places;
}

const innerClause = /^(?:what|that|which|who|whom|whose|how|where|why|whether|if)$/i;

/** An article or the like shortly before the end, but not at the beginning, makes the last word a noun. */
function endsInNoun(words: Word[]): boolean {
  const before = words.slice(Math.max(1, words.length - 4), -1);
  return before.some(({ text }) => determiners.has(text.toLowerCase()) || /^\p{N}/u.test(text));
}

/** "Hundreds of small pieces of work": from an article or preposition over an "of" to where the stretch ends. */
function nounChains(words: Word[]): Word[][] {
  return words.flatMap(({ text }, at) => {
    if (text.toLowerCase() !== 'of' || at < 1) return [];
    const from = words
      .slice(0, at)
      .findLastIndex(({ text: word }) => determiners.has(word.toLowerCase()) || word.toLowerCase() === 'of');
    const end = words.findIndex((word, n) => n > at && cuttingPrepositions.has(word.text.toLowerCase()));
    const chain = words.slice(
      words[from]?.text.toLowerCase() === 'of' ? from + 1 : from,
      end < 0 ? undefined : end,
    );
    const isChain = from >= 0 && chain.length >= 4 && chain.length <= 7;
    return isChain && !chain.some((word) => isNegation(word.text) || innerClause.test(word.text))
      ? [chain]
      : [];
  });
}

function isPresentable(sentence: string, words: Word[], isWhole: boolean): boolean {
  const [first, last] = [words[0], words.at(-1)];
  if (first === undefined || last === undefined || words.length > maxWords) return false;
  const text = sentence.slice(first.start, last.end);
  if (quotation.test(text) || codeSign.test(text) || widthOf(text) > maxWidth) return false;
  if (leaningStarts.has(first.text.toLowerCase()) || danglingEnds.has(last.text.toLowerCase())) return false;
  const telling = words.filter((word) => isTelling(word.text));
  return telling.length >= 2 && !pointsBack(words) && (isWhole || !isSlight(first.text, words));
}

/** "A machine restarts", as one of a list, and two words that are no amount, say little alone. */
function isSlight(first: string, words: Word[]): boolean {
  if (/^\p{N}/u.test(first)) return words.length < 2;
  return words.length < (determiners.has(first.toLowerCase()) ? 4 : 3);
}

/** "Mix them into one": a pronoun for which nothing in the phrase stands. */
function pointsBack(words: Word[]): boolean {
  return words.some(
    ({ text }, at) =>
      /^(?:it|them|him|her|they|he|she|there|others?)$/i.test(text) &&
      words.slice(0, at).filter((before) => isTelling(before.text)).length < 2,
  );
}

const widthOf = (text: string) => text.length + (text.match(wideSign)?.length ?? 0);

/** Words and numbers of a text, in any language. */
export function wordsOf(text: string, language: string): Word[] {
  return [...segmenter(language, 'word').segment(text)]
    .filter(({ isWordLike }) => isWordLike === true)
    .map(({ segment, index }) => ({ text: segment, start: index, end: index + segment.length }));
}
