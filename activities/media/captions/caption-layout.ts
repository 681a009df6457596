/** Where captions may stand in a frame and how large they are, by the frame's shape. All in pixels. */
export interface CaptionLayout {
  width: number;
  height: number;
  /** Free space left and right. */
  sideMargin: number;
  /** Free space below the text; tall videos leave room for a player's own controls. */
  bottomMargin: number;
  /** Height of a line as ASS counts it: ascent and descent together, about 1.2 times the type size. */
  fontSize: number;
  outline: number;
  /** Width of a line in average letters; see {@link import('./display-width.js').displayWidth}. */
  lineLetters: number;
}

/** @param width @param height of the frame, any size; wide, square and tall shapes are told apart by ratio. */
export function captionLayout(width: number, height: number): CaptionLayout {
  const ratio = width / height;
  const short = Math.min(width, height);
  const shape =
    ratio > 1.2
      ? { lineLetters: 42, fontSize: 0.06, side: 0.08, bottom: 0.055 }
      : ratio < 0.8
        ? { lineLetters: 24, fontSize: 0.076, side: 0.08, bottom: 0.16 }
        : { lineLetters: 30, fontSize: 0.058, side: 0.07, bottom: 0.06 };
  return {
    width,
    height,
    sideMargin: Math.round(width * shape.side),
    bottomMargin: Math.round(height * shape.bottom),
    fontSize: Math.round(short * shape.fontSize),
    outline: Math.max(1, Math.round(short * 0.0032 * 10) / 10),
    lineLetters: shape.lineLetters,
  };
}
