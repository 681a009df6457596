import type { CaptionStyle } from '../../../workflows/contract/options.js';
import type { Area, CaptionCue } from '../composition.js';
import { fillTag } from './ass.js';
import type { CaptionState } from './states.js';

/** Letters reach this much further than the part of them that is surely theirs. */
const edge = 1;

/**
 * The parts of a cue that are marked in a state of `classic` (the current word) or `karaoke` (all words before
 * it, and its own beginning), on even pixels.
 * @param words where the words stand in the frame, by index; a word without letters is missing.
 */
export function markedAreas(
  style: CaptionStyle,
  cue: CaptionCue,
  { current, fill }: CaptionState,
  words: ReadonlyMap<number, Area>,
): Area[] {
  if (current === null) return [];
  const fillsAtOnce = fillTag(cue) === 'k';
  return [...words].flatMap(([word, area]) => {
    if (word > current || (word < current && style !== 'karaoke')) return [];
    if (word < current || style !== 'karaoke') return [evenArea(area, edge)];
    if (fill === 0) return [];
    if (fillsAtOnce) return [evenArea(area, edge)];
    // Source: libass fills to this share of the letters' own width.
    return [evenArea({ ...area, right: area.left + fill * (area.right - area.left) }, 0, edge)];
  });
}

function evenArea(area: Area, right: number, others = right): Area {
  return {
    left: 2 * Math.floor((area.left - others) / 2),
    top: 2 * Math.floor((area.top - others) / 2),
    right: right === 0 ? 2 * Math.round(area.right / 2) : 2 * Math.ceil((area.right + right) / 2),
    bottom: 2 * Math.ceil((area.bottom + others) / 2),
  };
}
