import type { CaptionCue, CaptionWord } from '../composition.js';
import { balanceLines, phraseWidth } from './lines.js';

export interface CueOptions {
  /** Width of a line in average letters. */
  lineLetters: number;
  /** A cue may stay until here after its last word, e.g. until the picture changes. */
  untilSeconds: number;
}

/**
 * Groups the words of one scene into cues of at most two lines. Where to break is the cheapest way through
 * all words: at the end of sentences and clauses and at pauses of the voice, into cues that are neither
 * crowded nor too short to read. Takes time in proportion to the number of words.
 * @param words of one scene in order, on the timeline of the video.
 */
export function breakIntoCues(words: readonly CaptionWord[], options: CueOptions): CaptionCue[] {
  const cues = cheapestBreaks(words, options.lineLetters).map((group): CaptionCue => {
    const first = group[0];
    const last = group.at(-1);
    return {
      startSeconds: first?.startSeconds ?? 0,
      endSeconds: last?.endSeconds ?? 0,
      speaker: null,
      words: group,
      lines: balanceLines(group, options.lineLetters),
    };
  });
  return cues.map((cue, index) => ({
    ...cue,
    endSeconds: readableEnd(cue, Math.min(cues[index + 1]?.startSeconds ?? Infinity, options.untilSeconds)),
  }));
}

/** Shorter gaps between two cues are closed, so that captions do not flicker. */
const smallGapSeconds = 0.6;
const shortestCueSeconds = 1;
const longestCueSeconds = 6;
/** A reader's pace, in average letters a second. */
const readingLettersPerSecond = 20;
/** How long a cue lingers after its last word when nothing follows at once. */
const lingerSeconds = 0.3;

function readableEnd(cue: CaptionCue, limit: number): number {
  const readable = Math.max(shortestCueSeconds, phraseWidth(cue.words) / readingLettersPerSecond);
  const wanted = Math.max(cue.endSeconds + lingerSeconds, cue.startSeconds + readable);
  const end = limit - wanted < smallGapSeconds ? limit : wanted;
  return Math.max(cue.endSeconds, end);
}

function cheapestBreaks(words: readonly CaptionWord[], lineLetters: number): CaptionWord[][] {
  const cost: number[] = [0];
  const cameFrom: number[] = [0];
  for (let end = 1; end <= words.length; end += 1) {
    let best = Infinity;
    for (let start = end - 1; start >= 0; start -= 1) {
      const group = words.slice(start, end);
      const width = phraseWidth(group);
      if (start < end - 1 && (width > 2 * lineLetters || !fitsTwoLines(group, lineLetters))) break;
      const total = (cost[start] ?? 0) + cueCost(group, words[end], width / (2 * lineLetters));
      if (total < best) {
        best = total;
        cameFrom[end] = start;
      }
    }
    cost[end] = best;
  }
  const groups: CaptionWord[][] = [];
  for (let end = words.length; end > 0; end = cameFrom[end] ?? 0) {
    groups.unshift(words.slice(cameFrom[end] ?? 0, end));
  }
  return groups;
}

function fitsTwoLines(group: readonly CaptionWord[], lineLetters: number): boolean {
  let from = 0;
  for (const count of balanceLines(group, lineLetters)) {
    if (count > 1 && phraseWidth(group.slice(from, from + count)) > lineLetters) return false;
    from += count;
  }
  return true;
}

/** @param fill share of two full lines that the group takes. */
function cueCost(group: readonly CaptionWord[], next: CaptionWord | undefined, fill: number): number {
  const last = group.at(-1);
  const seconds = (last?.endSeconds ?? 0) - (group[0]?.startSeconds ?? 0);
  let cost = 4 + 6 * (1 - fill) ** 2;
  if (next !== undefined && last !== undefined) cost += breakCost(last, next);
  if (seconds < shortestCueSeconds) cost += 12 * (shortestCueSeconds - seconds);
  if (seconds > longestCueSeconds) cost += 8 * (seconds - longestCueSeconds);
  for (const [index, word] of group.entries()) {
    const following = group[index + 1];
    if (following === undefined) break;
    if (sentenceEnd.test(word.text)) cost += 5;
    if (following.startSeconds - word.endSeconds > 0.7) cost += 6;
  }
  return cost;
}

function breakCost(word: CaptionWord, next: CaptionWord): number {
  const pause = next.startSeconds - word.endSeconds;
  if (sentenceEnd.test(word.text)) return 0;
  if (clauseEnd.test(word.text) || pause > 0.4) return 3;
  return next.glued === true && !/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u.test(next.text)
    ? 14
    : 9;
}

const sentenceEnd = /[.!?…।॥。！？؟۔][\p{Pe}\p{Pf}"'”’]*$/u;
const clauseEnd = /[,;:–—、，；：،؛][\p{Pe}\p{Pf}"'”’]*$/u;
