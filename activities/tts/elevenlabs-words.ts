import type { WordTiming } from '../../workflows/contract/documents.js';
import type { CharacterTimes } from './elevenlabs.js';
import { visibleWords } from './visible-words.js';

/**
 * Puts the times of characters together to those of words.
 * @returns undefined where the characters are not those of the text, or their times make no sense: ElevenLabs may
 *   have said something else, such as a number in words
 */
export function wordsOfCharacters(
  text: string,
  language: string,
  { characters, startSeconds, endSeconds }: CharacterTimes,
): WordTiming[] | undefined {
  if (characters.join('') !== text) return undefined;
  if (startSeconds.length !== characters.length || endSeconds.length !== characters.length) return undefined;
  let reached = 0;
  for (const [n, start] of startSeconds.entries()) {
    const end = endSeconds[n] ?? Number.NaN;
    if (!(start >= reached - tolerance) || !(end >= start)) return undefined;
    reached = start;
  }
  // A character of theirs may be several UTF-16 units of ours.
  const offsets: number[] = [];
  let offset = 0;
  for (const character of characters) {
    offsets.push(offset);
    offset += character.length;
  }
  return visibleWords(text, language).map(({ charStart, charEnd }) => {
    const inside = offsets.flatMap((at, n) =>
      at < charEnd && at + (characters[n] ?? '').length > charStart && (characters[n] ?? '').trim() !== ''
        ? [n]
        : [],
    );
    const start = startSeconds[inside[0] ?? 0] ?? 0;
    const end = endSeconds[inside.at(-1) ?? 0] ?? start;
    return { text: text.slice(charStart, charEnd), startSeconds: start, endSeconds: end, charStart, charEnd };
  });
}

/** Rounding of their times, seconds. */
const tolerance = 0.01;
