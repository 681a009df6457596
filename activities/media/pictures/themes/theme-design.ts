import type { FontStyle } from '../../text/font-set.js';
import type { SeededRandom } from '../random.js';

/** Where artwork is drawn: a canvas laid out for text on the left; it is mirrored for right-to-left slides. */
export interface ArtCanvas {
  width: number;
  height: number;
  /** The shorter side in 1080ths: lengths in artwork are multiples of it. */
  unit: number;
  shape: FrameShape;
  /** Counts from 1; picks the motif. */
  sceneNumber: number;
  random: SeededRandom;
  /** Below this height, in pixels of the canvas, no text stands. */
  textBottom: number;
}

export type FrameShape = 'landscape' | 'portrait' | 'square';

export type DisplayStyle = FontStyle & { tracking: number; lineHeight: number };

/** How bullets are set off: a bar beside them, a numeral and a hairline, or a card around them. */
export type BulletStyle = 'bar' | 'numeral' | 'card';

export interface ThemeDesign {
  /** Colours on the artwork; each at least 4.5:1 against every pixel of it that they can stand on. */
  palette: { heading: string; body: string; accent: string; quiet: string; rule: string };
  /** Colour with which a user's own picture is toned, so that text on it can be read. */
  tone: string;
  type: { title: DisplayStyle; heading: DisplayStyle; body: DisplayStyle; numeral: DisplayStyle };
  bullets: BulletStyle;
  /** The background as SVG elements that fill the canvas. */
  artwork(canvas: ArtCanvas): string;
}

/** The side of the canvas that text leaves free: the centre of what there is to see, and how large it may be. */
export function focus(canvas: ArtCanvas): { x: number; y: number; radius: number } {
  const { width, height, shape } = canvas;
  const below = (y: number, radius: number) => Math.max(y, artTop(canvas) + radius * 1.17);
  switch (shape) {
    case 'landscape':
      return { x: width * 0.83, y: height * 0.44, radius: height * 0.3 };
    case 'portrait':
      return { x: width * 0.74, y: below(height * 0.8, width * 0.36), radius: width * 0.36 };
    case 'square':
      return { x: width * 0.84, y: below(height * 0.82, height * 0.26), radius: height * 0.26 };
  }
}

/** Where artwork may begin that stands under the text instead of beside it; a motion moves it a little. */
export function artTop({ textBottom, height }: ArtCanvas): number {
  return textBottom + height * 0.035;
}
