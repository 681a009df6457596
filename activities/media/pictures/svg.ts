import type { Paragraph } from '../text/paragraph.js';
import type { TextDirection } from '../text/direction.js';

/** Rectangle in pixels. */
export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** A piece of SVG and the box that its ink stays within. */
export interface Mark {
  svg: string;
  box: Box;
}

/** Short and the same on every machine. */
export function num(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/**
 * A paragraph as outlines: text reaches SVG only as the paths of its glyphs, so nothing in it can be markup.
 * The first line's ink starts exactly on the edge `x`, the left one or, for `rtl`, the right one; the other
 * lines keep the side bearings that the font's designer gave their letters.
 */
export function paragraphMark(
  paragraph: Paragraph,
  x: number,
  y: number,
  side: TextDirection,
  fill: string,
): Mark {
  const paths: string[] = [];
  const box: Box = { left: x, right: x, top: y, bottom: y + paragraph.height };
  const first = paragraph.lines[0]?.shaped;
  const bearing = side === 'ltr' ? (first?.ink?.left ?? 0) : (first?.width ?? 0) - (first?.ink?.right ?? 0);
  for (const { shaped, baseline } of paragraph.lines) {
    const ink = shaped.ink;
    if (ink === null) continue;
    const offset = side === 'ltr' ? x - bearing : x + bearing - shaped.width;
    box.left = Math.min(box.left, offset + ink.left);
    box.right = Math.max(box.right, offset + ink.right);
    for (const { typeface, glyph, x: glyphX, y: glyphY, scale } of shaped.glyphs) {
      const outline = typeface.outline(glyph);
      if (outline === '') continue;
      const s = String(Math.round(scale * 1e6) / 1e6);
      const place = `${num(offset + glyphX)} ${num(y + baseline + glyphY)}`;
      paths.push(`<path transform="matrix(${s} 0 0 -${s} ${place})" d="${outline}"/>`);
    }
  }
  return { svg: `<g fill="${fill}">${paths.join('')}</g>`, box };
}

export function rectMark(box: Box, attributes: string, radius = 0): Mark {
  const { left, top, right, bottom } = box;
  const size = `x="${num(left)}" y="${num(top)}" width="${num(right - left)}" height="${num(bottom - top)}"`;
  return { svg: `<rect ${size} rx="${num(radius)}" ${attributes}/>`, box };
}

export function joinMarks(marks: readonly Mark[]): Mark {
  return { svg: marks.map(({ svg }) => svg).join(''), box: marks.map(({ box }) => box).reduce(unionBox) };
}

function unionBox(a: Box, b: Box): Box {
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  };
}
