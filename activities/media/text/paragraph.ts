import type { TextDirection } from './direction.js';
import type { FontSet } from './font-set.js';
import { breakablePieces, splitGraphemes } from './line-breaks.js';
import { type ShapedLine, type TextStyle, shapeLine } from './shape.js';

export interface ParagraphOptions {
  style: TextStyle;
  direction: TextDirection;
  language: string;
  maxWidth: number;
  maxLines: number;
  /** Distance of base lines in em; taken larger where the ink of two lines would touch. */
  lineHeight: number;
  /** `tight` makes lines as even as can be, for headings; `loose` only keeps single words from a last line. */
  evenness: 'tight' | 'loose';
}

/** Lines with their base lines, `y` down from the top of the first line's ink. */
export interface Paragraph {
  lines: { shaped: ShapedLine; baseline: number }[];
  width: number;
  height: number;
  size: number;
  /** Whether something was cut off and an ellipsis put in its place. */
  shortened: boolean;
}

/**
 * Sets a text in as few lines as fit, of even length. A word that is wider than a line is broken between its
 * letters; what does not fit into `maxLines` gives way to an ellipsis.
 */
export function setParagraph(fonts: FontSet, text: string, options: ParagraphOptions): Paragraph {
  const { style, direction, language, maxWidth, maxLines } = options;
  const known = new Map<string, ShapedLine>();
  const shaped = (line: string): ShapedLine => {
    const found = known.get(line) ?? shapeLine(fonts, line, style, direction, language);
    known.set(line, found);
    return found;
  };
  const fits = (line: string, width: number) => extent(shaped(line.trimEnd())) <= width;

  const pieces = breakablePieces(text, language).flatMap((piece) =>
    fits(piece, maxWidth) ? [piece] : breakWord(piece, (part) => fits(part, maxWidth)),
  );
  let lines = fill(pieces, (line) => fits(line, maxWidth));
  const shortened = lines.length > maxLines;
  if (shortened) {
    const rest = lines.slice(maxLines - 1).join('');
    lines = [...lines.slice(0, maxLines - 1), ellipsize(rest, (line) => fits(line, maxWidth))];
  } else if (lines.length > 1) {
    lines = balance(pieces, lines, { maxWidth, floor: options.evenness === 'tight' ? 0.5 : 0.74 }, fits);
  }
  return stack(
    lines.map((line) => shaped(line.trimEnd())),
    options,
    shortened,
  );
}

/** The width that a line needs: its advance or, where marks reach beyond it, its ink. */
function extent({ width, ink }: ShapedLine): number {
  return Math.max(width, ink?.right ?? 0) - Math.min(0, ink?.left ?? 0);
}

function fill(pieces: readonly string[], fits: (line: string) => boolean): string[] {
  const lines: string[] = [];
  let line = '';
  for (const piece of pieces) {
    if (line !== '' && !fits(line + piece)) {
      lines.push(line);
      line = '';
    }
    line += piece;
  }
  return line === '' ? lines : [...lines, line];
}

/** The narrowest width that needs no more lines makes them even and leaves no single word behind. */
function balance(
  pieces: readonly string[],
  lines: string[],
  { maxWidth, floor }: { maxWidth: number; floor: number },
  fits: (line: string, width: number) => boolean,
): string[] {
  let narrow = maxWidth * floor;
  let wide = maxWidth;
  let best = lines;
  for (let step = 0; step < 6; step += 1) {
    const width = (narrow + wide) / 2;
    const tried = fill(pieces, (line) => fits(line, width));
    if (tried.length <= lines.length && tried.every((line) => fits(line, maxWidth))) {
      best = tried;
      wide = width;
    } else {
      narrow = width;
    }
  }
  return best;
}

function breakWord(word: string, fits: (part: string) => boolean): string[] {
  const letters = splitGraphemes(word);
  const parts: string[] = [];
  let from = 0;
  while (from < letters.length) {
    const most = largest(letters.length - from, (count) => fits(letters.slice(from, from + count).join('')));
    const count = Math.max(1, most);
    parts.push(letters.slice(from, from + count).join(''));
    from += count;
  }
  return parts;
}

/** The largest count up to `limit` that passes, 0 when none does; whatever passes, less of it passes too. */
function largest(limit: number, passes: (count: number) => boolean): number {
  let low = 0;
  let high = limit;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (passes(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

function ellipsize(text: string, fits: (line: string) => boolean): string {
  const letters = splitGraphemes(text.trimEnd());
  const kept = largest(letters.length, (count) => fits(withEllipsis(letters, count)));
  return withEllipsis(letters, kept);
}

function withEllipsis(letters: readonly string[], count: number): string {
  return `${letters
    .slice(0, count)
    .join('')
    .replace(/[\s\p{P}]+$/u, '')}…`;
}

function stack(lines: ShapedLine[], { style, lineHeight }: ParagraphOptions, shortened: boolean): Paragraph {
  const placed: Paragraph['lines'] = [];
  let bottom = 0;
  let baseline = 0;
  for (const shaped of lines) {
    const top = shaped.ink?.top ?? -style.size * 0.7;
    const touching = bottom - top + style.size * 0.12;
    baseline = placed.length === 0 ? -top : Math.max(baseline + lineHeight * style.size, touching);
    bottom = baseline + (shaped.ink?.bottom ?? 0);
    placed.push({ shaped, baseline });
  }
  const width = Math.max(0, ...lines.map(extent));
  return { lines: placed, width, height: Math.max(0, bottom), size: style.size, shortened };
}
