import type { CaptionStyle } from '../../../workflows/contract/options.js';
import type { CaptionCue } from '../composition.js';

/** What a cue looks like for a while: which word is marked, and how much of it is filled (`karaoke`). */
export interface CaptionState {
  startSeconds: number;
  endSeconds: number;
  /** Index of the word that is being said; null between words. In `karaoke` the words before it are filled. */
  current: number | null;
  /** Share of the current word that is filled, 0–1; 1 in the other styles. */
  fill: number;
}

/** A word stays marked until the next one when the voice pauses no longer than this, so that it does not flash. */
const flashSeconds = 0.25;

/** A word in `karaoke` fills in steps no shorter than this. */
const fillStepSeconds = 0.09;
const mostFillSteps = 4;

/** The states of a cue in order, without gaps, from its start to its end. */
export function captionStates(cue: CaptionCue, style: CaptionStyle): CaptionState[] {
  const states: CaptionState[] = [];
  let reached = cue.startSeconds;
  const add = (until: number, current: number | null, fill: number) => {
    const endSeconds = Math.min(until, cue.endSeconds);
    if (endSeconds <= reached) return;
    states.push({ startSeconds: reached, endSeconds, current, fill });
    reached = endSeconds;
  };
  for (const [index, word] of cue.words.entries()) {
    const next = cue.words[index + 1];
    if (style === 'karaoke') {
      add(word.startSeconds, index, 0);
      const seconds = word.endSeconds - word.startSeconds;
      const steps = Math.min(mostFillSteps, Math.max(1, Math.floor(seconds / fillStepSeconds)));
      for (let step = 0; step < steps; step += 1) {
        add(word.startSeconds + ((step + 1) / steps) * seconds, index, (step + 0.5) / steps);
      }
    } else {
      add(word.startSeconds, null, 1);
      const lasts = next !== undefined && next.startSeconds - word.endSeconds <= flashSeconds;
      add(lasts ? next.startSeconds : word.endSeconds, index, 1);
    }
  }
  if (style === 'karaoke') add(cue.endSeconds, cue.words.length, 0);
  else add(cue.endSeconds, null, 1);
  return states;
}
