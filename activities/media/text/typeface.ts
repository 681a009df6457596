import { readFileSync } from 'node:fs';
import { Blob, Face, Font } from 'harfbuzzjs';

/** A font opened for shaping and drawing. Lengths are in the font's own units, `unitsPerEm` to the em. */
export interface Typeface {
  name: string;
  font: Font;
  unitsPerEm: number;
  covers(codePoint: number): boolean;
  /** SVG path of a glyph, y upwards; empty for a blank. */
  outline(glyph: number): string;
  /** Ink of a glyph, y upwards; null for a blank. */
  ink(glyph: number): Ink | null;
}

export interface Ink {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export function openTypeface(path: string, faceIndex = 0): Typeface {
  const face = new Face(new Blob(readFileSync(path)), faceIndex);
  const font = new Font(face);
  return {
    name: path.slice(path.lastIndexOf('/') + 1),
    font,
    unitsPerEm: face.upem,
    covers: remembered((codePoint) => (font.nominalGlyph(codePoint) ?? 0) !== 0),
    outline: remembered((glyph) => font.glyphToPath(glyph)),
    ink: remembered((glyph) => {
      const extents = font.glyphExtents(glyph);
      if (extents === undefined || extents.width === 0 || extents.height === 0) return null;
      const { xBearing, yBearing, width, height } = extents;
      return { left: xBearing, right: xBearing + width, top: yBearing, bottom: yBearing + height };
    }),
  };
}

/** Calls into the font program cost more than a look-up, and a slide asks for the same glyphs again and again. */
function remembered<T extends string | boolean | object | null>(
  make: (key: number) => T,
): (key: number) => T {
  const known = new Map<number, T>();
  return (key) => {
    const found = known.get(key);
    if (found !== undefined) return found;
    const made = make(key);
    known.set(key, made);
    return made;
  };
}
