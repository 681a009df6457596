import type { TextDirection } from '../text/direction.js';
import type { FontSet } from '../text/font-set.js';
import { type Paragraph, setParagraph } from '../text/paragraph.js';
import { type Mark, joinMarks, num, paragraphMark, rectMark } from './svg.js';
import type { BulletStyle, ThemeDesign } from './themes/theme-design.js';

/** Room around a bullet's text in pixels; `start` is the side on which reading begins. */
export interface BulletInset {
  start: number;
  end: number;
  above: number;
  below: number;
}

/** @param ticked the bullets carry ticks, which need more room than bars. */
export function bulletInset(style: BulletStyle, unit: number, ticked: boolean): BulletInset {
  switch (style) {
    case 'bar':
      return { start: (ticked ? 52 : 34) * unit, end: 0, above: 9 * unit, below: 9 * unit };
    case 'numeral':
      return { start: 66 * unit, end: 0, above: 24 * unit, below: 2 * unit };
    case 'card':
      return { start: (ticked ? 84 : 74) * unit, end: 30 * unit, above: 25 * unit, below: 25 * unit };
  }
}

export interface BulletRequest {
  fonts: FontSet;
  design: ThemeDesign;
  paragraph: Paragraph;
  index: number;
  direction: TextDirection;
  /** The edge of the column on which reading begins. */
  start: number;
  y: number;
  unit: number;
  columnWidth: number;
  /** The last slide ticks its bullets off. */
  isClosing: boolean;
}

/** One bullet with its sign. `height` is what it takes of the column. */
export function bulletMark(request: BulletRequest): { mark: Mark; height: number } {
  const { design, paragraph, direction, start, y, unit } = request;
  const inset = bulletInset(design.bullets, unit, request.isClosing);
  const height = inset.above + paragraph.height + inset.below;
  const textStart = direction === 'ltr' ? start + inset.start : start - inset.start;
  const text = paragraphMark(paragraph, textStart, y + inset.above, direction, design.palette.body);
  return { mark: joinMarks([...signs(request, inset, height), text]), height };
}

function signs(request: BulletRequest, inset: BulletInset, height: number): Mark[] {
  const { design, direction, start, y, unit, columnWidth, isClosing, paragraph } = request;
  const { accent, rule } = design.palette;
  /** A box that begins `from` pixels into the column and is `length` long, on whichever side reading begins. */
  const box = (from: number, length: number, top: number, tall: number) => {
    const left = direction === 'ltr' ? start + from : start - from - length;
    return { left, right: left + length, top, bottom: top + tall };
  };
  const firstLine = y + inset.above + firstLineMiddle(paragraph);
  const tick = (from: number, size: number) =>
    tickMark(box(from, size, firstLine - size / 2, size), accent, unit);
  switch (design.bullets) {
    case 'bar':
      return isClosing
        ? [tick(0, 24 * unit)]
        : [rectMark(box(0, 6 * unit, y + 4 * unit, height - 8 * unit), `fill="${accent}"`, 3 * unit)];
    case 'numeral': {
      const hairline = rectMark(
        box(0, columnWidth, y, Math.max(1.5, 2 * unit)),
        `fill="${rule}" fill-opacity="0.85"`,
      );
      return isClosing ? [hairline, tick(2 * unit, 26 * unit)] : [hairline, numeral(request, firstLine)];
    }
    case 'card': {
      const card = box(0, columnWidth, y, height);
      const glass = rectMark(
        card,
        'fill="#FFFFFF" fill-opacity="0.085" stroke="#FFFFFF" stroke-opacity="0.2" stroke-width="1.5"',
        20 * unit,
      );
      if (isClosing) return [glass, tick(28 * unit, 26 * unit)];
      const dot = box(32 * unit, 14 * unit, firstLine - 7 * unit, 14 * unit);
      return [glass, rectMark(dot, `fill="${accent}"`, 7 * unit)];
    }
  }
}

function numeral({ fonts, design, direction, start, index, unit }: BulletRequest, middle: number): Mark {
  const number = setParagraph(fonts, String(index + 1), {
    style: { ...design.type.numeral, size: 38 * unit, features: ['lnum'] },
    direction: 'ltr',
    language: '',
    maxWidth: 64 * unit,
    maxLines: 1,
    lineHeight: 1,
    evenness: 'tight',
  });
  return paragraphMark(number, start, middle - number.height / 2, direction, design.palette.accent);
}

/** Half the height of the first line's letters, from the top of its ink. */
function firstLineMiddle({ lines, size }: Paragraph): number {
  const first = lines[0];
  return first === undefined ? size / 2 : first.baseline - size * 0.36;
}

function tickMark(
  box: { left: number; right: number; top: number; bottom: number },
  colour: string,
  unit: number,
): Mark {
  const { left, right, top, bottom } = box;
  const across = (part: number) => num(left + (right - left) * part);
  const down = (part: number) => num(top + (bottom - top) * part);
  const path = `M ${across(0.08)} ${down(0.56)} L ${across(0.38)} ${down(0.86)} L ${across(0.94)} ${down(0.18)}`;
  const svg = `<path d="${path}" fill="none" stroke="${colour}" stroke-width="${num(5 * unit)}" stroke-linecap="round" stroke-linejoin="round"/>`;
  return { svg, box };
}
