const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/gu;

/**
 * About how long a text takes to say, in seconds: 15 letters a second where words have spaces, four and a half
 * syllable signs elsewhere, and a breath a sentence.
 */
export function speechSeconds(text: string): number {
  const dense = text.match(unspaced)?.length ?? 0;
  return (text.length - dense) / 15 + dense / 4.5 + 0.4;
}
