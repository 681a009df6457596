const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** What a reader sees as single characters: an emoji with its modifiers or a Devanagari cluster is one. */
export function splitGraphemes(text: string): string[] {
  return Array.from(graphemes.segment(text), ({ segment }) => segment);
}

/**
 * About how wide a text is drawn, in average lower-case letters of the caption type. Full-width characters
 * (UAX #11: Han, kana, hangul, emoji) count two.
 */
export function displayWidth(text: string): number {
  return splitGraphemes(text).reduce((sum, grapheme) => sum + graphemeWidth(grapheme), 0);
}

function graphemeWidth(grapheme: string): number {
  if (fullWidth.test(grapheme)) return 2;
  if (/^[ilj.,:;'|!\u2018\u2019]/u.test(grapheme)) return 0.5;
  if (/^[mwMW@%&]/u.test(grapheme)) return 1.5;
  if (/^\p{Lu}/u.test(grapheme)) return 1.2;
  return /^\p{M}/u.test(grapheme) ? 0 : 1;
}

const fullWidth =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60]/u;

/** Scripts that put no spaces between words, so that a line may break between any two of their words. */
export const spacelessScript =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
