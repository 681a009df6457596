import { maxScenes } from '../../workflows/contract/options.js';
import { splitSentences } from '../sentences.js';
import { keyPhrases } from './key-phrases.js';
import { speechSeconds } from './speech-length.js';
import { wellFormed } from './well-formed.js';

/** A scene to be: sentences under a heading, `paragraph` true where one begins. */
export interface Draft {
  heading: string;
  /** Which piece of its section it is, from 0. */
  part: number;
  sentences: { text: string; seconds: number; paragraph: boolean }[];
}

export interface SceneLimits {
  /** Scenes that the user wants, or null. */
  sceneCount: number | null;
}

const idealSeconds = 26;
const longestSeconds = 35;
/** What has a heading is a scene, unless it would only flash. */
const tinySeconds = 2.5;
/** A scene of a wanted number may be longer, up to this. */
const stretchedSeconds = 75;
/** Without a wanted number of scenes a video is no longer than this. */
const longestVideoSeconds = 20 * 60;
/** Nobody says a sentence of this length; it is a block of text without full stops. */
const longestSentence = 1_200;
/** Length of the pieces that such a block is told in, each short enough to be a scene. */
const pieceLength = 400;

/** Headings to scenes of at most 35 seconds: long sections are split, what would only flash joins its neighbour. */
export function planScenes(
  sections: { heading: string; text: string }[],
  language: string,
  { sceneCount }: SceneLimits,
): { drafts: Draft[]; notes: string[] } {
  const whole = sections
    .map((section) => toDraft(section, language))
    .filter(({ sentences }) => sentences.length > 0);
  if (sceneCount === null) {
    const natural = mergeTiny(
      whole.flatMap((draft) => split(draft, Math.ceil(draftSeconds(draft) / longestSeconds))),
    );
    return bounded(natural);
  }
  const wanted = Math.min(sceneCount, maxScenes);
  const drafts = fitTo(whole, wanted);
  const cut = drafts.map((draft) => cutTo(draft, stretchedSeconds));
  const notes = cut.some((draft, n) => draft.sentences.length < (drafts[n]?.sentences.length ?? 0))
    ? [
        `The text is too long for ${scenes(wanted)}: of each scene the first ${stretchedSeconds.toString()} seconds are told. Ask for more scenes to hear more.`,
      ]
    : [];
  if (cut.length < wanted) notes.push(`The text gives ${scenes(cut.length)}, not ${wanted.toString()}.`);
  return { drafts: cut, notes };
}

const scenes = (count: number) => `${count.toString()} scene${count === 1 ? '' : 's'}`;
const minutes = (seconds: number) => Math.max(1, Math.round(seconds / 60)).toString();

function bounded(natural: Draft[]): { drafts: Draft[]; notes: string[] } {
  const drafts: Draft[] = [];
  let total = 0;
  for (const draft of natural) {
    total += draftSeconds(draft);
    if (drafts.length === maxScenes || (drafts.length > 0 && total > longestVideoSeconds)) break;
    drafts.push(draft);
  }
  if (drafts.length === natural.length) return { drafts, notes: [] };
  const all = natural.reduce((sum, draft) => sum + draftSeconds(draft), 0);
  return {
    drafts,
    notes: [
      `The source would make ${scenes(natural.length)} and about ${minutes(all)} minutes; the video tells the first ${drafts.length.toString()}. Give a shorter source to have all of it.`,
    ],
  };
}

function toDraft({ heading, text }: { heading: string; text: string }, language: string): Draft {
  const paragraphs = text === '' ? [`${heading}.`] : text.split('\n\n');
  return {
    heading,
    part: 0,
    sentences: paragraphs.flatMap((paragraph) =>
      splitSentences(paragraph, language)
        .flatMap(({ start, end }) => piecesOf(paragraph.slice(start, end)))
        .map((text, n) => ({ text, seconds: speechSeconds(text), paragraph: n === 0 })),
    ),
  };
}

/** The sentence, or its pieces when it is no sentence: cut between words, or anywhere in text without spaces. */
function piecesOf(sentence: string): string[] {
  if (sentence.length <= longestSentence) return [wellFormed(sentence)];
  const pieces: string[] = [];
  let at = 0;
  while (sentence.length - at > pieceLength) {
    const space = sentence.lastIndexOf(' ', at + pieceLength);
    const end = space > at + pieceLength / 2 ? space : wholeCharacter(sentence, at + pieceLength);
    pieces.push(sentence.slice(at, end).trim());
    at = end;
  }
  return [...pieces, sentence.slice(at).trim()].filter((piece) => piece !== '').map(wellFormed);
}

/** The place, or the one before it when it lies inside of a surrogate pair. */
function wholeCharacter(text: string, at: number): number {
  return /[\ud800-\udbff]/.test(text.charAt(at - 1)) ? at - 1 : at;
}

const draftSeconds = ({ sentences }: Draft) => sentences.reduce((sum, { seconds }) => sum + seconds, 0);

/** Into about equal parts, cut at sentences, rather where a paragraph begins. */
function split(draft: Draft, parts: number): Draft[] {
  const count = Math.min(parts, draft.sentences.length);
  if (count <= 1) return [draft];
  const share = draftSeconds(draft) / count;
  const groups: Draft['sentences'][] = [[]];
  let told = 0;
  for (const [n, sentence] of draft.sentences.entries()) {
    const group = groups.at(-1) ?? [];
    const middle = told + sentence.seconds * (sentence.paragraph ? 0.75 : 0.5);
    const mustCut = draft.sentences.length - n === count - groups.length;
    if (group.length > 0 && groups.length < count && (middle > share * groups.length || mustCut))
      groups.push([sentence]);
    else group.push(sentence);
    told += sentence.seconds;
  }
  return groups.map((sentences, n) => ({ heading: draft.heading, part: draft.part + n, sentences }));
}

/** A later piece of a section is headed by what it says, or else by the section and its number. */
export function headingOf({ heading, part, sentences }: Draft, language: string): string {
  if (part === 0) return heading;
  const phrase = keyPhrases(sentences.map(({ text }) => text).join(' '), language, 1)[0];
  const tells = phrase !== undefined && phrase.length >= 8 && /^[\p{L}\p{M}\p{N}\s'’-]+$/u.test(phrase);
  return tells ? phrase : `${heading} (${(part + 1).toString()})`;
}

/** A scene that would flash by joins the one before it, or the next when that one is full. */
function mergeTiny(drafts: Draft[]): Draft[] {
  const merged: Draft[] = [];
  for (const [n, draft] of drafts.entries()) {
    const last = merged.at(-1);
    const isTiny =
      draftSeconds(draft) < tinySeconds || (last !== undefined && draftSeconds(last) < tinySeconds);
    const fits = last !== undefined && draftSeconds(last) + draftSeconds(draft) <= longestSeconds;
    const waitsForNext = n + 1 < drafts.length && last !== undefined && draftSeconds(last) > idealSeconds;
    if (last !== undefined && isTiny && fits && !waitsForNext)
      merged[merged.length - 1] = joined(last, draft);
    else merged.push(draft);
  }
  return merged;
}

/** The second heading is said, so that its text does not stand without a subject. */
function joined(a: Draft, b: Draft): Draft {
  const opening = b.sentences[0]?.text ?? '';
  const repeats = opening.toLowerCase().startsWith(b.heading.toLowerCase()) || b.heading === a.heading;
  const spoken = /[.!?…。！？।]$/u.test(b.heading) ? b.heading : `${b.heading}.`;
  const lead = repeats ? [] : [{ text: spoken, seconds: speechSeconds(spoken), paragraph: true }];
  return { heading: a.heading, part: a.part, sentences: [...a.sentences, ...lead, ...b.sentences] };
}

/** Neighbours with the least to say join, or the longest parts, until there are as many as wanted. */
function fitTo(drafts: Draft[], wanted: number): Draft[] {
  let fitted = drafts;
  while (fitted.length > wanted) {
    const pairs = fitted.slice(1).map((draft, n) => draftSeconds(draft) + draftSeconds(fitted[n] ?? draft));
    const at = pairs.indexOf(Math.min(...pairs));
    const [a, b] = [fitted[at], fitted[at + 1]];
    if (a === undefined || b === undefined) break;
    fitted = [...fitted.slice(0, at), joined(a, b), ...fitted.slice(at + 2)];
  }
  while (fitted.length < wanted) {
    const longest = fitted
      .map((draft, at) => ({ at, draft, seconds: draftSeconds(draft) }))
      .filter(({ draft }) => draft.sentences.length > 1)
      .reduce<{ at: number; draft: Draft; seconds: number } | undefined>(
        (best, entry) => (best === undefined || entry.seconds > best.seconds ? entry : best),
        undefined,
      );
    if (longest === undefined) break;
    fitted = [...fitted.slice(0, longest.at), ...split(longest.draft, 2), ...fitted.slice(longest.at + 1)];
  }
  return fitted;
}

function cutTo(draft: Draft, seconds: number): Draft {
  const kept: Draft['sentences'] = [];
  let total = 0;
  for (const sentence of draft.sentences) {
    total += sentence.seconds;
    if (kept.length > 0 && total > seconds) break;
    kept.push(sentence);
  }
  return { ...draft, sentences: kept };
}
