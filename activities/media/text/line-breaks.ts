const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
/** Scripts that are written without spaces; lines may break between their words. */
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
/** What must not begin a line, and what must not end one. */
const closing = /^[\p{Pe}\p{Pf}、。，．・：；？！ー々ゝゞぁぃぅぇぉっゃゅょァィゥェォッャュョ.,:;!?%…\p{M}]/u;
const opening = /[\p{Ps}\p{Pi}]$/u;
const breaksAfter = /[-‐–—/]$/u;

/**
 * Cuts a text into the pieces between which a line may end. A piece keeps the space after it; joined, the
 * pieces are the text.
 *
 * @param language BCP 47; unknown ones are treated as any other language.
 */
export function breakablePieces(text: string, language: string): string[] {
  const pieces: string[] = [];
  let previous = '';
  for (const { segment } of wordSegmenter(language).segment(text)) {
    if (previous === '' || !mayBreakBetween(previous, segment)) {
      pieces.push((pieces.pop() ?? '') + segment);
    } else {
      pieces.push(segment);
    }
    previous = segment;
  }
  return pieces;
}

export function splitGraphemes(text: string): string[] {
  return Array.from(graphemes.segment(text), ({ segment }) => segment);
}

function mayBreakBetween(before: string, after: string): boolean {
  if (/^\s/u.test(after)) return false;
  if (/[\s\u200B]$/u.test(before) && !/[\u00A0\u202F]$/u.test(before)) return true;
  if (closing.test(after) || opening.test(before)) return false;
  if (breaksAfter.test(before)) return /^[\p{L}\p{N}]/u.test(after);
  return unspaced.test(before) || unspaced.test(after);
}

function wordSegmenter(language: string): Intl.Segmenter {
  try {
    return new Intl.Segmenter(language, { granularity: 'word' });
  } catch {
    return new Intl.Segmenter(undefined, { granularity: 'word' });
  }
}
