import type { CaptionStyle } from '../../../workflows/contract/options.js';
import type { CaptionCue, CaptionWord } from '../composition.js';
import { assColour, assHeader, captionColours } from './ass-style.js';
import { escapeAss } from './ass-text.js';
import type { CaptionLayout } from './caption-layout.js';
import { cueLines, spaceBefore } from './lines.js';
import { captionStates, type CaptionState } from './states.js';
import { assTime, parseTime } from './timestamps.js';

export interface AssInput {
  style: CaptionStyle;
  layout: CaptionLayout;
  cues: readonly CaptionCue[];
}

/**
 * The captions as an ASS file for a frame of the layout's size. `karaoke` fills each word while it is said
 * (`\kf`); the other styles have one event for each word that is marked.
 */
export function writeAss({ style, layout, cues }: AssInput): string {
  const events = cues.flatMap((cue) => {
    const whole = { startSeconds: cue.startSeconds, endSeconds: cue.endSeconds };
    const shade = dialogue(0, 'Shade', whole, shadeText(cue, layout));
    if (style === 'karaoke') return [shade, dialogue(2, 'Words', whole, spokenText(cue, layout))];
    const states = captionStates(cue, style);
    return [shade, ...states.flatMap((state) => stateEvents(cue, state, style, layout, state))];
  });
  return assHeader(style, layout) + events.join('');
}

/** How a cue is drawn: in a state, with every word marked, or as letters alone, each word in its own colour. */
export type CaptionLook = CaptionState | 'marked' | 'words';

/**
 * One look of each cue as a picture of its own: the look `index` shows from second `index` to the next one.
 * A frame in the middle of that second shows just what a player shows in that state.
 */
export function writeAssLooks(
  style: CaptionStyle,
  layout: CaptionLayout,
  looks: readonly { cue: CaptionCue; look: CaptionLook }[],
): string {
  const events = looks.flatMap(({ cue, look }, index) => {
    const span = { startSeconds: index, endSeconds: index + 1 };
    if (look === 'words') return [dialogue(2, 'Words', span, wordsText(cue, layout))];
    const shade = dialogue(0, 'Shade', span, shadeText(cue, layout));
    if (style === 'karaoke') {
      const state = look === 'marked' ? { current: cue.words.length, fill: 0 } : look;
      return [shade, dialogue(2, 'Words', span, filledText(cue, layout, state, 50))];
    }
    return [shade, ...stateEvents(cue, look, style, layout, span)];
  });
  return assHeader(style, layout) + events.join('');
}

/** Letters without an outline in {@link wordColour}, from which words are found in a picture. */
function wordsText(cue: CaptionCue, layout: CaptionLayout): string {
  const draw = (word: CaptionWord) => {
    const colour = assColour(wordColour(cue.words.indexOf(word)));
    return `{\\bord0\\shad0\\1c${colour}}${letters(word, layout)}`;
  };
  return placement(layout) + joinLines(cue, draw);
}

/** `#rrggbb` that tells up to 256 words apart, in steps that survive smooth edges; see {@link wordOfColour}. */
export function wordColour(index: number): string {
  const level = (value: number) => (value * 16 + 8).toString(16).padStart(2, '0');
  return `#${level(index & 15)}${level((index >> 4) & 15)}ff`;
}

/** Index of a word from two bytes of its colour. */
export const wordOfColour = (red: number, green: number): number => (red >> 4) | ((green >> 4) << 4);

interface Span {
  startSeconds: number;
  endSeconds: number;
}

function dialogue(layer: number, styleName: string, span: Span, text: string): string {
  return `Dialogue: ${layer},${assTime(span.startSeconds)},${assTime(span.endSeconds)},${styleName},,0,0,0,,${text}\n`;
}

function stateEvents(
  cue: CaptionCue,
  look: Pick<CaptionState, 'current'> | 'marked',
  style: CaptionStyle,
  layout: CaptionLayout,
  span: Span,
): string[] {
  const place = placement(layout);
  const isMarked = (word: CaptionWord) =>
    look === 'marked' || (look.current !== null && word === cue.words[look.current]);
  const mark = (before: string, after: string) =>
    joinLines(cue, (word) =>
      isMarked(word) ? before + letters(word, layout) + after : letters(word, layout),
    );
  if (style === 'boxed') {
    const words = dialogue(2, 'Words', span, place + mark('', ''));
    if (!cue.words.some(isMarked)) return [words];
    const hidden = '\\alpha&HFF&';
    const box = mark('{\\rBox}', `{\\r${hidden}}`);
    return [dialogue(1, 'Words', span, `${place}{${hidden}}${box}`), words];
  }
  const accent = assColour(captionColours[style].accent);
  return [dialogue(2, 'Words', span, place + mark(`{\\1c${accent}}`, '{\\1c}'))];
}

function shadeText(cue: CaptionCue, layout: CaptionLayout): string {
  const blur = Math.round(layout.outline * 12) / 10;
  return `${placement(layout)}{\\blur${blur}}${joinLines(cue, (word) => letters(word, layout))}`;
}

/** Karaoke times run on from the start of the event, so each is the difference of two rounded moments. */
function spokenText(cue: CaptionCue, layout: CaptionLayout): string {
  const moment = (seconds: number) => Math.round(seconds * 100);
  const fill = fillTag(cue);
  let reached = moment(cue.startSeconds);
  const step = (seconds: number) => {
    const length = Math.max(0, moment(seconds) - reached);
    reached += length;
    return length;
  };
  const text = joinLines(
    cue,
    (word) => `{\\${fill}${step(word.endSeconds)}}${letters(word, layout)}`,
    (word) => `{\\k${step(word.startSeconds)}}`,
  );
  return placement(layout) + text;
}

/** @param elapsed hundredths of a second into the event at which the fill is as `state` says. */
function filledText(
  cue: CaptionCue,
  layout: CaptionLayout,
  state: Pick<CaptionState, 'current' | 'fill'>,
  elapsed: number,
): string {
  const current = state.current ?? 0;
  const fill = fillTag(cue);
  const tag = (index: number) => {
    if (index < current) return 'k0';
    return index > current || state.fill === 0 ? 'k1000' : `${fill}${Math.round(elapsed / state.fill)}`;
  };
  const text = joinLines(
    cue,
    (word) => `{\\${tag(cue.words.indexOf(word))}}${letters(word, layout)}`,
    () => '{\\k0}',
  );
  return placement(layout) + text;
}

/** libass fills from left to right only, which is wrong for right-to-left words: they fill at once. */
export function fillTag(cue: CaptionCue): 'k' | 'kf' {
  const rightToLeft = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;
  return cue.words.some((word) => rightToLeft.test(word.text)) ? 'k' : 'kf';
}

/** A fixed place, so that no two events push each other aside. */
function placement(layout: CaptionLayout): string {
  return `{\\an2\\pos(${layout.width / 2},${layout.height - layout.bottomMargin})}`;
}

/**
 * libass takes a font's size as the height of its line. That of Noto Sans Arabic is 1.75 times that of Inter, so
 * its letters come out small; they are drawn larger, as far as two lines of them stay where captions belong.
 */
function letters({ text }: CaptionWord, { fontSize }: CaptionLayout): string {
  const escaped = escapeAss(text);
  if (!/\p{Script=Arabic}/u.test(text)) return escaped;
  return `{\\fs${Math.round(1.35 * fontSize)}}${escaped}{\\fs${fontSize}}`;
}

function joinLines(
  cue: CaptionCue,
  draw: (word: CaptionWord) => string,
  before: (word: CaptionWord) => string = () => '',
): string {
  return cueLines(cue)
    .map((line) =>
      line.map((word, index) => before(word) + (index === 0 ? '' : spaceBefore(word)) + draw(word)).join(''),
    )
    .join('\\N');
}

/** An event of an ASS file: its style and layer, its times, and its text with override tags. */
export interface AssEvent extends Span {
  layer: number;
  style: string;
  text: string;
}

/** Reads the events of an ASS file as written here. */
export function readAss(ass: string): AssEvent[] {
  return ass.split('\n').flatMap((line) => {
    const match = /^Dialogue: (\d+),([\d:.]+),([\d:.]+),(\w+),[^,]*,\d+,\d+,\d+,[^,]*,(.*)$/u.exec(line);
    if (match === null) return [];
    const [, layer = '0', start = '', end = '', style = '', text = ''] = match;
    return [
      { layer: Number(layer), startSeconds: parseTime(start), endSeconds: parseTime(end), style, text },
    ];
  });
}
