import type { PhonemeTiming } from '../../../workflows/contract/documents.js';
import {
  mouthParameters,
  restShape,
  visemesOf,
  type Insistence,
  type MouthParameter,
  type MouthShape,
} from './mouth-shapes.js';

/** One shape that the mouth aims at, with the time in which it is held. */
interface Aim {
  startSeconds: number;
  endSeconds: number;
  shape: MouthShape;
  insistence: Insistence | 'rest';
}

/** Lips are seen where they will be heard a moment later. */
export const leadSeconds = 0.045;

/** Silence that is long enough for the mouth to come to rest. */
const restSeconds = 0.09;

const strengths: Record<Aim['insistence'], number> = {
  closed: 5,
  strong: 1.8,
  vowel: 1,
  weak: 0.45,
  rest: 1,
};

/** Seconds in which a sound's influence falls to 1/e. Rounding and width are slow: they reach over neighbours. */
const reach: Record<MouthParameter, number> = {
  gap: 0.034,
  jaw: 0.05,
  width: 0.06,
  round: 0.06,
  press: 0.025,
  tuck: 0.028,
  tongue: 0.03,
};

/** In this time lips close before a sound that needs them closed, and open after it. */
const closingSeconds = 0.05;

/**
 * The mouth at given moments of a speech. Each sound pulls towards its own shape with a dominance that falls
 * exponentially with the distance from it; the shape is the mean weighted by dominance (Cohen and Massaro 1993,
 * "Modeling coarticulation in synthetic visual speech"). Lips that a sound needs closed are closed for at least one
 * moment of the raster.
 *
 * @param times seconds of the speech, evenly spaced, ascending.
 * @param emphasis 0–1.3 by time: how far the mouth opens for a sound at that moment; 1 is plain speech.
 */
export function mouthTrack(
  phonemes: readonly PhonemeTiming[],
  times: readonly number[],
  emphasis: (seconds: number) => number = () => 1,
): MouthShape[] {
  const aims = aimsOf(phonemes, emphasis);
  const step = (times[1] ?? 0.04) - (times[0] ?? 0);
  return times.map((time) => {
    const moment = time + leadSeconds;
    return closed(blend(aims, moment), aims, moment, step);
  });
}

function aimsOf(phonemes: readonly PhonemeTiming[], emphasis: (seconds: number) => number): Aim[] {
  const spoken = phonemes.flatMap(({ phoneme, startSeconds, endSeconds }) => {
    const visemes = visemesOf(phoneme);
    const share = (endSeconds - startSeconds) / Math.max(1, visemes.length);
    return visemes.map(({ shape, insistence }, n): Aim => {
      const start = startSeconds + n * share;
      const openness = insistence === 'vowel' ? emphasis(start + share / 2) : 1;
      return {
        startSeconds: start,
        endSeconds: start + share,
        insistence,
        shape: { ...shape, gap: shape.gap * openness, jaw: shape.jaw * openness },
      };
    });
  });
  return withRests(spoken);
}

/** A closed mouth wherever nothing is said for a while, and before and after all. */
function withRests(spoken: readonly Aim[]): Aim[] {
  const rest = (startSeconds: number, endSeconds: number): Aim => ({
    startSeconds,
    endSeconds,
    shape: restShape,
    insistence: 'rest',
  });
  const first = spoken[0];
  const last = spoken.at(-1);
  if (first === undefined || last === undefined) return [rest(-1e3, 1e3)];
  const between = spoken.flatMap((aim, n) => {
    const next = spoken[n + 1];
    const silent = next !== undefined && next.startSeconds - aim.endSeconds > restSeconds;
    return silent ? [aim, rest(aim.endSeconds + 0.03, next.startSeconds - 0.03)] : [aim];
  });
  return [rest(-1e3, first.startSeconds - 0.04), ...between, rest(last.endSeconds + 0.04, 1e3)];
}

function blend(aims: readonly Aim[], moment: number): MouthShape {
  const sums = { ...restShape };
  const weights = { ...restShape };
  for (const aim of aims) {
    const away = outside(aim, moment);
    if (away > 0.6) continue;
    for (const name of mouthParameters) {
      const weight = strengths[aim.insistence] * Math.exp(-away / reach[name]);
      sums[name] += weight * aim.shape[name];
      weights[name] += weight;
    }
  }
  const shape = { ...restShape };
  for (const name of mouthParameters) shape[name] = weights[name] > 0 ? sums[name] / weights[name] : 0;
  return shape;
}

/** Seconds from a moment to the core of a sound, the middle of its time. */
function outside({ startSeconds, endSeconds }: Aim, moment: number): number {
  const margin = Math.min(0.03, (endSeconds - startSeconds) * 0.2);
  return Math.max(0, startSeconds + margin - moment, moment - endSeconds + margin);
}

/** Holds the lips together around each sound that needs it, long enough that a frame shows it. */
function closed(shape: MouthShape, aims: readonly Aim[], moment: number, step: number): MouthShape {
  let closure = 0;
  for (const { insistence, startSeconds, endSeconds } of aims) {
    if (insistence !== 'closed') continue;
    const middle = startSeconds + (endSeconds - startSeconds) * 0.45;
    const half = Math.max((endSeconds - startSeconds) * 0.3, step * 0.55);
    const away = Math.max(0, Math.abs(moment - middle) - half) / closingSeconds;
    if (away < 1) closure = Math.max(closure, 0.5 + 0.5 * Math.cos(Math.PI * away));
  }
  return {
    ...shape,
    gap: shape.gap * (1 - closure),
    press: Math.max(shape.press, closure),
    tongue: shape.tongue * (1 - closure),
  };
}
