import { Buffer as ShapingBuffer, Direction, Feature, shape } from 'harfbuzzjs';
import { type TextDirection, embeddingLevels, visualOrder } from './direction.js';
import type { FontSet, FontStyle } from './font-set.js';
import type { Ink, Typeface } from './typeface.js';

export interface TextStyle extends FontStyle {
  /** Pixels to the em. */
  size: number;
  /** Added between letters, in em; only where letters stand apart by nature. */
  tracking?: number;
  /** OpenType features, e.g. `tnum`. */
  features?: readonly string[];
}

/** A glyph on its line; `x` from the line's left edge, `y` down from its base line, in pixels. */
export interface PlacedGlyph {
  typeface: Typeface;
  glyph: number;
  x: number;
  y: number;
  /** Pixels to the font's unit. */
  scale: number;
}

/** One line of text, shaped. `ink` is where it leaves marks: y down from the base line, null for a blank line. */
export interface ShapedLine {
  glyphs: PlacedGlyph[];
  width: number;
  ink: Ink | null;
}

interface Run {
  start: number;
  end: number;
  level: number;
  typeface: Typeface;
  script: string;
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const spacedScripts = new Set(['Latin', 'Greek', 'Cyrillic']);
const scripts = [
  'Latin',
  'Greek',
  'Cyrillic',
  'Arabic',
  'Hebrew',
  'Devanagari',
  'Bengali',
  'Tamil',
  'Thai',
  'Han',
  'Hiragana',
  'Katakana',
  'Hangul',
].map((name) => ({ name, pattern: new RegExp(`\\p{Script=${name}}`, 'u') }));
const shared = /^[\p{Script=Common}\p{Script=Inherited}]/u;
const emoji = /\p{Emoji_Presentation}|\uFE0F/u;

/** Lines of one em, by font set: fitting a text tries the same lines at size after size. */
const shapedBefore = new WeakMap<FontSet, Map<string, ShapedLine>>();
const maxKept = 4_000;

/**
 * Shapes one line: directions by the bidirectional algorithm, a font for every cluster, ligatures and
 * conjuncts by HarfBuzz.
 *
 * @param language BCP 47, chooses local letter forms.
 */
export function shapeLine(
  fonts: FontSet,
  text: string,
  style: TextStyle,
  direction: TextDirection,
  language: string,
): ShapedLine {
  const { size, family, weight, tracking, features } = style;
  const key = JSON.stringify([text, family, weight, tracking, features, direction, language]);
  const kept = shapedBefore.get(fonts) ?? new Map<string, ShapedLine>();
  if (kept.size >= maxKept) kept.clear();
  shapedBefore.set(fonts, kept);
  const line = kept.get(key) ?? shapeEm(fonts, text, { ...style, size: 1 }, direction, language);
  kept.set(key, line);
  return scaled(line, size);
}

function scaled({ glyphs, width, ink }: ShapedLine, size: number): ShapedLine {
  return {
    glyphs: glyphs.map((glyph) => ({
      ...glyph,
      x: glyph.x * size,
      y: glyph.y * size,
      scale: glyph.scale * size,
    })),
    width: width * size,
    ink:
      ink === null
        ? null
        : {
            left: ink.left * size,
            right: ink.right * size,
            top: ink.top * size,
            bottom: ink.bottom * size,
          },
  };
}

function shapeEm(
  fonts: FontSet,
  text: string,
  style: TextStyle,
  direction: TextDirection,
  language: string,
): ShapedLine {
  const line: ShapedLine = { glyphs: [], width: 0, ink: null };
  const features = (style.features ?? []).map((tag) => new Feature(tag));
  for (const run of visualOrder(runsOf(fonts, text, style, direction))) {
    appendRun(line, text, run, style, features, language);
  }
  line.ink = inkOf(line.glyphs);
  return line;
}

function runsOf(fonts: FontSet, text: string, style: FontStyle, direction: TextDirection): Run[] {
  const levels = embeddingLevels(text, direction);
  const runs: Run[] = [];
  for (const { segment, index } of graphemes.segment(text)) {
    const last = runs.at(-1);
    const level = levels[index] ?? 0;
    const neutral = shared.test(segment) && !emoji.test(segment);
    const leans = neutral && last !== undefined && last.script !== 'Emoji';
    const typeface = fonts.pick(segment, style, leans ? last.typeface : undefined);
    const script = leans ? last.script : scriptOf(segment);
    if (last?.level === level && last.typeface === typeface && last.script === script) {
      last.end = index + segment.length;
    } else {
      runs.push({ start: index, end: index + segment.length, level, typeface, script });
    }
  }
  return runs;
}

function scriptOf(cluster: string): string {
  if (emoji.test(cluster)) return 'Emoji';
  const named = scripts.find(({ pattern }) => pattern.test(cluster));
  if (named !== undefined) return named.name;
  return shared.test(cluster) ? 'Latin' : `block ${(cluster.codePointAt(0) ?? 0) >> 7}`;
}

function appendRun(
  line: ShapedLine,
  text: string,
  run: Run,
  style: TextStyle,
  features: Feature[],
  language: string,
): void {
  const buffer = new ShapingBuffer();
  buffer.addText(text, run.start, run.end - run.start);
  buffer.setDirection(run.level % 2 === 1 ? Direction.RTL : Direction.LTR);
  if (language !== '') buffer.setLanguage(language);
  buffer.guessSegmentProperties();
  shape(run.typeface.font, buffer, features);
  const scale = style.size / run.typeface.unitsPerEm;
  const tracking = trackingOf(style, run.script);
  let cluster = line.glyphs.length === 0 ? undefined : -1;
  for (const item of buffer.getGlyphInfosAndPositions()) {
    if (cluster !== undefined && item.cluster !== cluster) line.width += tracking;
    cluster = item.cluster;
    line.glyphs.push({
      typeface: run.typeface,
      glyph: item.codepoint,
      x: line.width + (item.xOffset ?? 0) * scale,
      y: -(item.yOffset ?? 0) * scale,
      scale,
    });
    line.width += (item.xAdvance ?? 0) * scale;
  }
}

function trackingOf(style: TextStyle, script: string): number {
  return spacedScripts.has(script) ? (style.tracking ?? 0) * style.size : 0;
}

function inkOf(glyphs: readonly PlacedGlyph[]): Ink | null {
  const boxes = glyphs.flatMap(({ typeface, glyph, x, y, scale }) => {
    const ink = typeface.ink(glyph);
    if (ink === null) return [];
    return [
      {
        left: x + ink.left * scale,
        right: x + ink.right * scale,
        top: y - ink.top * scale,
        bottom: y - ink.bottom * scale,
      },
    ];
  });
  return boxes.length === 0 ? null : boxes.reduce(union);
}

function union(a: Ink, b: Ink): Ink {
  return {
    left: Math.min(a.left, b.left),
    right: Math.max(a.right, b.right),
    top: Math.min(a.top, b.top),
    bottom: Math.max(a.bottom, b.bottom),
  };
}
