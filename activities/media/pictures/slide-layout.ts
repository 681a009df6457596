import type { Scene } from '../../../workflows/contract/documents.js';
import { cleanText } from '../text/clean-text.js';
import { type TextDirection, directionOf, mainDirection } from '../text/direction.js';
import type { FontSet } from '../text/font-set.js';
import { type Paragraph, setParagraph } from '../text/paragraph.js';
import { bulletCues } from './bullet-cues.js';
import { type FrameGeometry, frameGeometry } from './frame-geometry.js';
import { bulletInset, bulletMark } from './slide-bullets.js';
import { type Mark, joinMarks, paragraphMark, rectMark } from './svg.js';
import type { DisplayStyle, ThemeDesign } from './themes/theme-design.js';

export interface SlideText {
  scene: Scene;
  sceneCount: number;
  /** Title of the video; shown large on the first slide. */
  title: string | null;
  language: string;
  width: number;
  height: number;
  captionsBurned: boolean;
}

export interface SlideLayout {
  direction: TextDirection;
  overlays: { mark: Mark; appearAtWord: number | null }[];
  /** Lowest pixel of the frame that any of it draws. */
  bottom: number;
  /** Whether a text was cut short, or bullets left out, for want of room. */
  shortened: boolean;
}

/** Most bullets that a slide can show; more are spoken but not shown. */
const maxBullets = 8;
/** Longer texts fit on no slide. */
const maxCharacters = 360;
/** Type is made smaller in these steps until everything fits. */
const scales = [1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55];

interface Content {
  heading: string;
  subheading: string;
  bullets: string[];
  isTitle: boolean;
  isClosing: boolean;
}

interface Fitted {
  heading: Paragraph | null;
  subheading: Paragraph | null;
  bullets: Paragraph[];
  scale: number;
  height: number;
  shortened: boolean;
}

/** Places the texts of one scene on its frame: what stands from the start, and each bullet on its own. */
export function layOutSlide(fonts: FontSet, design: ThemeDesign, text: SlideText): SlideLayout {
  const geometry = frameGeometry(text.width, text.height, text.captionsBurned);
  const content = contentOf(text);
  const direction = mainDirection([content.heading, content.subheading, ...content.bullets]);
  const fitted = fit({ fonts, design, geometry, content, language: text.language, direction });
  const { safe, unit } = geometry;
  const start = direction === 'ltr' ? safe.left : safe.right;
  const free = safe.bottom - safe.top - fitted.height;
  let y = safe.top + Math.max(0, free) * geometry.bias;

  const head: Mark[] = [kicker({ fonts, design, geometry, text, direction, isTitle: content.isTitle, y })];
  y += kickerHeight(geometry, content.isTitle);
  if (fitted.heading !== null) {
    head.push(paragraphMark(fitted.heading, start, y, direction, design.palette.heading));
    y += fitted.heading.height;
  }
  if (fitted.subheading !== null) {
    y += gaps(geometry, fitted.scale).subheading;
    head.push(paragraphMark(fitted.subheading, start, y, direction, design.palette.quiet));
    y += fitted.subheading.height;
  }
  const overlays: SlideLayout['overlays'] = [{ mark: joinMarks(head), appearAtWord: null }];

  const cues = bulletCues(text.scene.narration, content.bullets, text.language);
  y += gaps(geometry, fitted.scale).bullets;
  fitted.bullets.forEach((paragraph, index) => {
    const mark = bulletMark({
      fonts,
      design,
      paragraph,
      index,
      direction,
      start,
      y,
      unit: unit * fitted.scale,
      columnWidth: geometry.textWidth,
      isClosing: isClosing(text),
    });
    overlays.push({ mark: mark.mark, appearAtWord: cues[index] ?? null });
    y += mark.height + gaps(geometry, fitted.scale).betweenBullets;
  });
  const bottom = Math.max(...overlays.map(({ mark }) => mark.box.bottom));
  return { direction, overlays, bottom, shortened: fitted.shortened };
}

function isClosing({ scene, sceneCount }: SlideText): boolean {
  return sceneCount > 2 && scene.number === sceneCount;
}

/** A slide's text: cleaned, and no longer than could ever fit, so that setting it takes no time. */
function legible(text: string): string {
  const letters = [...cleanText(text.slice(0, maxCharacters * 4))];
  return letters.length <= maxCharacters ? letters.join('') : `${letters.slice(0, maxCharacters).join('')}…`;
}

function contentOf(text: SlideText): Content {
  const { scene, sceneCount, title } = text;
  const heading = legible(scene.heading);
  const videoTitle = legible(title ?? '');
  const bullets = scene.bullets.map(legible).filter((bullet) => bullet !== '');
  const isTitle = scene.number === 1 && sceneCount > 1;
  const kind = { isTitle, isClosing: isClosing(text) };
  if (!isTitle || videoTitle === '' || videoTitle.toLowerCase() === heading.toLowerCase()) {
    return { heading: heading === '' ? videoTitle : heading, subheading: '', bullets, ...kind };
  }
  return { heading: videoTitle, subheading: heading, bullets, ...kind };
}

interface FitRequest {
  fonts: FontSet;
  design: ThemeDesign;
  geometry: FrameGeometry;
  content: Content;
  language: string;
  direction: TextDirection;
}

function fit(request: FitRequest): Fitted {
  const { safe } = request.geometry;
  const room = safe.bottom - safe.top;
  let fitted = setAt(request, 1, maxBullets);
  for (const scale of scales) {
    fitted = setAt(request, scale, maxBullets);
    if (!fitted.shortened && fitted.height <= room) return fitted;
  }
  const smallest = scales.at(-1) ?? 1;
  for (let count = fitted.bullets.length - 1; fitted.height > room && count >= 0; count -= 1) {
    fitted = { ...setAt(request, smallest, count), shortened: true };
  }
  return fitted;
}

function setAt(request: FitRequest, scale: number, bulletCount: number): Fitted {
  const { fonts, design, geometry, content, language, direction } = request;
  const set = (text: string, style: DisplayStyle, size: number, maxWidth: number, maxLines: number) =>
    text === ''
      ? null
      : setParagraph(fonts, text, {
          style: { ...style, size },
          direction: directionOf(text, direction),
          language,
          maxWidth,
          maxLines,
          lineHeight: style.lineHeight,
          evenness: style === design.type.body ? 'loose' : 'tight',
        });
  const { size, textWidth, titleWidth, unit } = geometry;
  const shown = content.bullets.slice(0, bulletCount);
  const wide = content.isTitle || shown.length === 0;
  const headingSize = content.isTitle ? size.title : shown.length === 0 ? size.statement : size.heading;
  const headingStyle = content.isTitle ? design.type.title : design.type.heading;
  const roomy = scale > 0.78;
  const heading = set(
    content.heading,
    headingStyle,
    headingSize * scale,
    wide ? titleWidth : textWidth,
    geometry.shape === 'landscape' ? (roomy ? 2 : 3) : wide ? 4 : 3,
  );
  const subheading = set(content.subheading, design.type.body, size.body * 1.12 * scale, textWidth, 3);
  const inset = bulletInset(design.bullets, unit * scale, content.isClosing);
  const bullets = shown.flatMap((bullet) => {
    const paragraph = set(
      bullet,
      design.type.body,
      size.body * scale,
      textWidth - inset.start - inset.end,
      roomy ? 2 : 3,
    );
    return paragraph === null ? [] : [paragraph];
  });
  const gap = gaps(geometry, scale);
  const height =
    kickerHeight(geometry, content.isTitle) +
    (heading?.height ?? 0) +
    (subheading === null ? 0 : gap.subheading + subheading.height) +
    (bullets.length === 0 ? 0 : gap.bullets - gap.betweenBullets) +
    bullets.reduce((sum, { height: own }) => sum + own + inset.above + inset.below + gap.betweenBullets, 0);
  const shortened =
    [heading, subheading, ...bullets].some((paragraph) => paragraph?.shortened === true) ||
    shown.length < content.bullets.length;
  return { heading, subheading, bullets, scale, height, shortened };
}

function gaps({ unit, shape }: FrameGeometry, scale: number) {
  const airy = (shape === 'portrait' ? 1.25 : 1) * unit * scale;
  return { subheading: 34 * airy, bullets: 50 * airy, betweenBullets: 22 * airy };
}

function kickerHeight({ unit, size }: FrameGeometry, isTitle: boolean): number {
  return isTitle ? 46 * unit : size.numeral * 0.75 + 34 * unit;
}

interface KickerRequest {
  fonts: FontSet;
  design: ThemeDesign;
  geometry: FrameGeometry;
  text: SlideText;
  direction: TextDirection;
  isTitle: boolean;
  y: number;
}

/** Above the heading: a short bar on the title slide, elsewhere the scene's number and how far the video is. */
function kicker({ fonts, design, geometry, text, direction, isTitle, y }: KickerRequest): Mark {
  const { unit, safe, size } = geometry;
  const { accent, rule } = design.palette;
  const span = (from: number, length: number, top: number, thick: number, fill: string, opacity = 1) => {
    const left = direction === 'ltr' ? safe.left + from : safe.right - from - length;
    const box = { left, right: left + length, top, bottom: top + thick };
    return rectMark(box, `fill="${fill}" fill-opacity="${opacity}"`, thick / 2);
  };
  if (isTitle) return span(0, 104 * unit, y, 9 * unit, accent);
  const number = setParagraph(fonts, String(text.scene.number).padStart(2, '0'), {
    style: { ...design.type.numeral, size: size.numeral, features: ['tnum', 'lnum'] },
    direction: 'ltr',
    language: text.language,
    maxWidth: safe.right - safe.left,
    maxLines: 1,
    lineHeight: 1,
    evenness: 'tight',
  });
  const start = direction === 'ltr' ? safe.left : safe.right;
  const from = number.width + 20 * unit;
  const track = 150 * unit;
  const thick = 4 * unit;
  const top = y + number.height / 2 - thick / 2;
  const part = Math.min(1, text.scene.number / Math.max(1, text.sceneCount));
  return joinMarks([
    paragraphMark(number, start, y, direction, accent),
    span(from, track, top, thick, rule, 0.7),
    span(from, Math.max(thick, track * part), top, thick, accent),
  ]);
}
