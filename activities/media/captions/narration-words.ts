import type { WordTiming } from '../../../workflows/contract/documents.js';
import type { CaptionWord } from '../composition.js';
import { displayWidth, spacelessScript, splitGraphemes } from './display-width.js';

interface Token {
  text: string;
  charStart: number;
  charEnd: number;
  glued: boolean;
}

/**
 * The narration's own words, punctuation included, with the times at which the voice says them. Signs that
 * are not spoken (a dash, an emoji) stand with the word before them. Text without spaces is cut into words by
 * Intl.Segmenter, and words too long for a line are cut between characters; such parts are `glued`.
 * @param timings the voice's words; `charStart`/`charEnd` index `narration`.
 * @param durationSeconds length of the voice; no time goes beyond it.
 * @param maxWidth widest word that may stay whole, as {@link displayWidth} counts.
 * @returns words in order, times in seconds from the start of the voice, never running backwards.
 */
export function narrationWords(
  narration: string,
  timings: readonly WordTiming[],
  durationSeconds: number,
  maxWidth: number,
): CaptionWord[] {
  const tokens = tokenize(narration, maxWidth);
  const known = timings.length > 0 ? timings : spread(narration, tokens, durationSeconds);
  const words = timeTokens(tokens, known, maxWidth);
  let reached = 0;
  return words.map((word) => {
    const startSeconds = Math.min(Math.max(word.startSeconds, reached), durationSeconds);
    const endSeconds = Math.min(Math.max(word.endSeconds, startSeconds), durationSeconds);
    reached = endSeconds;
    return { ...word, startSeconds, endSeconds };
  });
}

function tokenize(narration: string, maxWidth: number): Token[] {
  const tokens: Token[] = [];
  for (const match of narration.matchAll(/\S+/gu)) {
    for (const [index, part] of splitToken(match[0], maxWidth).entries()) {
      tokens.push({
        text: part.text,
        charStart: match.index + part.offset,
        charEnd: match.index + part.offset + part.text.length,
        glued: index > 0,
      });
    }
  }
  return tokens;
}

function splitToken(text: string, maxWidth: number): { text: string; offset: number }[] {
  const pieces = spacelessScript.test(text) ? segmentWords(text) : [text];
  const parts = pieces.flatMap((piece) =>
    displayWidth(piece) > maxWidth ? chunk(piece, maxWidth) : [piece],
  );
  let offset = 0;
  return parts.map((part) => {
    const placed = { text: part, offset };
    offset += part.length;
    return placed;
  });
}

/** Words of a text without spaces; punctuation stays with the word before it, so that no line begins with it. */
function segmentWords(text: string): string[] {
  const words: string[] = [];
  for (const { segment, isWordLike } of wordSegmenter.segment(text)) {
    const last = words.at(-1);
    const opensAfterThis = last !== undefined && /[\p{Ps}\p{Pi}]$/u.test(last);
    if (
      last !== undefined &&
      (opensAfterThis || (isWordLike !== true && !/^[\p{Ps}\p{Pi}]/u.test(segment)))
    ) {
      words[words.length - 1] = last + segment;
    } else {
      words.push(segment);
    }
  }
  return words;
}

const wordSegmenter = new Intl.Segmenter(undefined, { granularity: 'word' });

function chunk(text: string, maxWidth: number): string[] {
  const chunks: string[] = [];
  let current = '';
  let width = 0;
  for (const grapheme of splitGraphemes(text)) {
    const step = displayWidth(grapheme);
    if (current !== '' && width + step > maxWidth) {
      chunks.push(current);
      current = '';
      width = 0;
    }
    current += grapheme;
    width += step;
  }
  return current === '' ? chunks : [...chunks, current];
}

/** Gives each token the time of the spoken words it overlaps; several tokens in one word share it by length. */
function timeTokens(
  tokens: readonly Token[],
  timings: readonly WordTiming[],
  maxWidth: number,
): CaptionWord[] {
  const words: CaptionWord[] = [];
  let unspoken = '';
  let from = 0;
  for (const token of tokens) {
    while ((timings[from]?.charEnd ?? Infinity) <= token.charStart) from += 1;
    const spoken: WordTiming[] = [];
    for (let at = from; at < timings.length; at += 1) {
      const timing = timings[at];
      if (timing === undefined || timing.charStart >= token.charEnd) break;
      spoken.push(timing);
    }
    const first = spoken[0];
    const last = spoken.at(-1);
    const before = words.at(-1);
    if (first !== undefined && last !== undefined) {
      words.push({
        text: unspoken + token.text,
        startSeconds: timeAt(first, token.charStart),
        endSeconds: timeAt(last, token.charEnd),
        ...(token.glued && unspoken === '' ? { glued: true } : {}),
      });
      unspoken = '';
    } else if (before === undefined) {
      unspoken += `${token.text} `;
    } else if (displayWidth(before.text) + displayWidth(token.text) < maxWidth) {
      before.text += (token.glued ? '' : ' ') + token.text;
    } else {
      const at = before.endSeconds;
      words.push({
        text: token.text,
        startSeconds: at,
        endSeconds: at,
        ...(token.glued ? { glued: true } : {}),
      });
    }
  }
  return words;
}

/** Times for a voice that gives none: the whole text at an even pace. */
function spread(narration: string, tokens: readonly Token[], durationSeconds: number): WordTiming[] {
  const perChar = durationSeconds / Math.max(1, narration.length);
  return tokens.map(({ text, charStart, charEnd }) => ({
    text,
    charStart,
    charEnd,
    startSeconds: charStart * perChar,
    endSeconds: charEnd * perChar,
  }));
}

/** The moment at which the voice passes a character inside one of its words. */
function timeAt(timing: WordTiming, char: number): number {
  const length = Math.max(1, timing.charEnd - timing.charStart);
  const share = Math.min(1, Math.max(0, (char - timing.charStart) / length));
  return timing.startSeconds + share * (timing.endSeconds - timing.startSeconds);
}
