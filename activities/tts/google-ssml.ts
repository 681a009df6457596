import type { WordTiming } from '../../workflows/contract/documents.js';
import { visibleWords } from './visible-words.js';

/** Name of the mark at the end of the text. */
const endMark = 'end';

/**
 * The text as SSML with a mark before each word and one at the end. The text stays text: whatever would be markup in it
 * is escaped, and what XML has no place for becomes a space.
 */
export function markedSsml(text: string, language: string): string {
  let at = 0;
  const parts = visibleWords(text, language).map(({ charStart, charEnd }, n) => {
    const part = `${escaped(text.slice(at, charStart))}<mark name="${n}"/>${escaped(text.slice(charStart, charEnd))}`;
    at = charEnd;
    return part;
  });
  return `<speak>${parts.join('')}${escaped(text.slice(at))}<mark name="${endMark}"/></speak>`;
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** What XML 1.0 allows (2.2, Char) besides tabs and ends of lines, escaped. */
function escaped(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, ' ')
    .replace(/[&<>"']/g, (character) => entities[character] ?? ' ');
}

/**
 * Words from the marks' times: each lasts until the next begins.
 * @returns undefined where a mark is missing or out of order
 */
export function wordsOfMarks(
  text: string,
  language: string,
  timepoints: readonly { markName: string; timeSeconds: number }[],
): WordTiming[] | undefined {
  const times = new Map(timepoints.map(({ markName, timeSeconds }) => [markName, timeSeconds]));
  const words: WordTiming[] = [];
  let reached = 0;
  for (const [n, { charStart, charEnd }] of visibleWords(text, language).entries()) {
    const startSeconds = times.get(String(n));
    const endSeconds = times.get(String(n + 1)) ?? times.get(endMark);
    if (startSeconds === undefined || endSeconds === undefined) return undefined;
    if (startSeconds < reached || endSeconds < startSeconds) return undefined;
    reached = startSeconds;
    words.push({ text: text.slice(charStart, charEnd), startSeconds, endSeconds, charStart, charEnd });
  }
  return words;
}
