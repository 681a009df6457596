import type { Box } from './svg.js';
import type { FrameShape } from './themes/theme-design.js';

/** Measures of a slide in pixels. */
export interface FrameGeometry {
  shape: FrameShape;
  /** The shorter side in 1080ths. */
  unit: number;
  /** Text stays within this box, whatever the frame's edges are hidden by. */
  safe: Box;
  /** How wide text may be; beyond it the artwork shows. */
  textWidth: number;
  titleWidth: number;
  /** Where a block that is lower than the safe box stands in it: 0 at its top, 1 at its bottom. */
  bias: number;
  size: { title: number; heading: number; statement: number; body: number; numeral: number };
}

interface Proportions {
  side: number;
  top: number;
  bottom: number;
  text: number;
  title: number;
  bias: number;
  size: FrameGeometry['size'];
}

/** Margins and widths as parts of the frame, type sizes in units. */
const proportions: Record<FrameShape, Proportions> = {
  landscape: {
    side: 0.066,
    top: 0.094,
    bottom: 0.906,
    text: 0.56,
    title: 0.6,
    bias: 0.46,
    size: { title: 130, heading: 80, statement: 104, body: 45, numeral: 28 },
  },
  portrait: {
    side: 0.083,
    top: 0.115,
    bottom: 0.87,
    text: 0.834,
    title: 0.834,
    bias: 0.2,
    size: { title: 122, heading: 92, statement: 112, body: 50, numeral: 34 },
  },
  square: {
    side: 0.08,
    top: 0.085,
    bottom: 0.915,
    text: 0.8,
    title: 0.8,
    bias: 0.3,
    size: { title: 104, heading: 74, statement: 92, body: 41, numeral: 28 },
  },
};

/** Burned captions stand in the lower fifth; nothing of a slide's text comes closer to them than this. */
const captionTop = 0.785;

export function frameGeometry(width: number, height: number, captionsBurned: boolean): FrameGeometry {
  const shape: FrameShape = width > height ? 'landscape' : width < height ? 'portrait' : 'square';
  const unit = Math.min(width, height) / 1080;
  const { side, top, bottom, text, title, bias, size } = proportions[shape];
  return {
    shape,
    unit,
    safe: {
      left: width * side,
      right: width * (1 - side),
      top: height * top,
      bottom: height * (captionsBurned ? Math.min(captionTop, bottom) : bottom),
    },
    textWidth: width * text,
    titleWidth: width * title,
    bias,
    size: {
      title: size.title * unit,
      heading: size.heading * unit,
      statement: size.statement * unit,
      body: size.body * unit,
      numeral: size.numeral * unit,
    },
  };
}
