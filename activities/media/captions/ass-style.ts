import type { CaptionStyle } from '../../../workflows/contract/options.js';
import type { CaptionLayout } from './caption-layout.js';

/** `&HBBGGRR&`, as ASS writes a colour, from `#rrggbb`. */
export function assColour(hex: string): string {
  const [red = '00', green = '00', blue = '00'] = hex.slice(1).match(/../g) ?? [];
  return `&H${blue}${green}${red}&`.toUpperCase();
}

export interface CaptionColours {
  text: string;
  accent: string;
  outline: string;
}

/**
 * Opaque colours only: half-transparent ones come out differently over a transparent strip than over a
 * picture. Text and accent have a contrast of at least 7:1 against the outline that surrounds every letter.
 */
export const captionColours: Record<CaptionStyle, CaptionColours> = {
  classic: { text: '#ffffff', accent: '#ffd23f', outline: '#12151c' },
  karaoke: { text: '#ffffff', accent: '#4fd8ff', outline: '#12151c' },
  boxed: { text: '#ffffff', accent: '#2f5bea', outline: '#12151c' },
};

/**
 * Head of an ASS file for a canvas, with the styles `Words` (text with an outline), `Shade` (a soft dark glow
 * below it, so that white letters hold on a light picture) and `Box` (for the current word of `boxed`).
 */
export function assHeader(style: CaptionStyle, layout: CaptionLayout): string {
  const colours = captionColours[style];
  const { sideMargin, bottomMargin, fontSize, outline } = layout;
  const common = (border: number, borderStyle: number) =>
    `-1,0,0,0,100,100,0,0,${borderStyle},${border},0,2,${sideMargin},${sideMargin},${bottomMargin},-1`;
  const filled = style === 'karaoke' ? colours.accent : colours.text;
  const paint = (first: string, second: string, border: string) =>
    `${assColour(first)},${assColour(second)},${assColour(border)},${assColour(border)}`;
  return [
    '[Script Info]',
    'ScriptType: v4.00+',
    `PlayResX: ${layout.width}`,
    `PlayResY: ${layout.height}`,
    'WrapStyle: 0',
    'ScaledBorderAndShadow: yes',
    'YCbCr Matrix: TV.709',
    '',
    '[V4+ Styles]',
    'Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, ' +
      'Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, ' +
      'MarginR, MarginV, Encoding',
    `Style: Words,Inter,${fontSize},${paint(filled, colours.text, colours.outline)},${common(outline, 1)}`,
    `Style: Shade,Inter,${fontSize},${paint(colours.outline, colours.outline, colours.outline)},${common(outline * 1.6, 1)}`,
    `Style: Box,Inter,${fontSize},${paint(colours.accent, colours.accent, colours.accent)},${common(outline * 1.2, 3)}`,
    '',
    '[Events]',
    'Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text',
    '',
  ].join('\n');
}
