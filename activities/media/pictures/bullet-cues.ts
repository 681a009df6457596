import { visibleWords } from '../../tts/visible-words.js';

/** A key of a bullet is found in a word when they begin alike: endings change with grammar. */
const shortestStem = 3;

/**
 * The word of the narration with which each bullet is first spoken of: the beginning of the stretch that holds
 * most of the bullet's words. A bullet whose words are not spoken comes in its turn between its neighbours.
 *
 * @param language BCP 47, of both; cuts scripts without spaces into words.
 * @returns for each bullet an index into the narration's words, as the voices count them; null for a silent scene.
 */
export function bulletCues(
  narration: string,
  bullets: readonly string[],
  language: string,
): (number | null)[] {
  const words = wordsOf(narration, language);
  if (words.length === 0) return bullets.map(() => null);
  let from = 0;
  const found = bullets.map((bullet) => {
    const keys = keysOf(bullet, language, words);
    const ahead = bestStretch(words, keys, from);
    const anywhere = ahead.score >= 0.6 ? ahead : bestStretch(words, keys, 0);
    const best = anywhere.score > ahead.score + 0.2 ? anywhere : ahead;
    if (best.score < 0.4) return undefined;
    from = Math.max(from, best.index + 1);
    return best.index;
  });
  return found.map((index, i) => index ?? between(found, i, words.length));
}

function bestStretch(words: readonly string[], keys: readonly string[], from: number) {
  let best = { index: from, score: 0 };
  if (keys.length === 0) return best;
  const reach = keys.length * 3 + 2;
  for (let start = from; start < words.length; start += 1) {
    if (!keys.some((key) => alike(key, words[start] ?? ''))) continue;
    const stretch = words.slice(start, start + reach);
    const score = keys.filter((key) => stretch.some((word) => alike(key, word))).length / keys.length;
    if (score > best.score + 1e-9) best = { index: start, score };
  }
  return best;
}

/** Where an unspoken bullet comes in: evenly between the spoken ones around it. */
function between(found: readonly (number | undefined)[], position: number, wordCount: number): number {
  let before = position - 1;
  while (before >= 0 && found[before] === undefined) before -= 1;
  let after = position + 1;
  while (after < found.length && found[after] === undefined) after += 1;
  const start = found[before] ?? 0;
  const end = Math.max(start, found[after] ?? wordCount);
  const part = (position - before) / (after - before);
  return Math.min(wordCount - 1, Math.round(start + (end - start) * (before < 0 ? part * 0.6 : part)));
}

function wordsOf(text: string, language: string): string[] {
  return visibleWords(text, language).map(({ charStart, charEnd }) =>
    normalize(text.slice(charStart, charEnd)),
  );
}

/** The bullet's telling words: the longer ones, and short ones that the narration does not keep repeating. */
function keysOf(bullet: string, language: string, words: readonly string[]): string[] {
  const all = wordsOf(bullet, language).filter((word) => word !== '');
  const telling = all.filter(
    (word) =>
      word.length > shortestStem ||
      (word.length === shortestStem && words.filter((spoken) => spoken === word).length === 1),
  );
  return [...new Set(telling.length > 0 ? telling : all)];
}

function normalize(word: string): string {
  return word
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, '');
}

function alike(key: string, word: string): boolean {
  if (key === word) return true;
  const shorter = Math.min(key.length, word.length);
  if (shorter < shortestStem) return false;
  let common = 0;
  while (common < shorter && key[common] === word[common]) common += 1;
  return common >= Math.max(4, Math.ceil(Math.max(key.length, word.length) * 0.65));
}
