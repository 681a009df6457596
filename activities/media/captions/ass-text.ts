/** Invisible and of no width; keeps a backslash from reaching the letter behind it. */
const wordJoiner = '\u2060';

/**
 * User text as libass draws it literally. libass knows `\{` and `\}` for braces; every other backslash is
 * kept from becoming `\N`, `\n` or `\h` by a word joiner, and all white space becomes one space, so that no
 * line of the file can be ended from within.
 */
export function escapeAss(text: string): string {
  return text
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .replace(/[\\{}]/gu, (character) => (character === '\\' ? `\\${wordJoiner}` : `\\${character}`));
}
