import { stretchLimits } from '../../../workflows/contract/personalized.js';
import { invalidInput } from '../../failures.js';

export interface FitRequest {
  /** Samples of the new words at their natural speed. */
  words: number;
  /** Samples of the span. */
  span: number;
  /** Samples after the span in which nobody speaks. */
  pause: number;
  /** Samples of that pause that must be left. */
  gap: number;
  /** False fits the words to the span also where they are shorter. */
  naturalSpeed: boolean;
  sampleRate: number;
}

export interface FittedWords {
  /** How much faster than naturally the words are said. */
  tempo: number;
  /** Samples of the words then. */
  words: number;
  /** Samples after the span that they take, too. */
  overlap: number;
}

/**
 * Makes words fit into a span of a video whose pictures go on as they are: first by their tempo, within what still
 * sounds like speech, then by the pause behind the span.
 * @throws ApplicationFailure `words_too_long`
 */
export function fitWords({ words, span, pause, gap, naturalSpeed, sampleRate }: FitRequest): FittedWords {
  const { slowest, fastest } = stretchLimits;
  const wanted = words / Math.max(1, span);
  const tempo = naturalSpeed && wanted <= 1 ? 1 : Math.min(fastest, Math.max(slowest, wanted));
  const spoken = Math.floor(words / tempo);
  const overlap = Math.max(0, spoken - span);
  if (overlap > Math.max(0, pause - gap)) {
    const seconds = (samples: number) => (samples / sampleRate).toFixed(1);
    throw invalidInput({
      code: 'words_too_long',
      detail: `The words take ${seconds(spoken)} s even when they are said faster, and ${seconds(span + Math.max(0, pause - gap))} s are free.`,
    });
  }
  return { tempo, words: spoken, overlap };
}

/** 10 ms. */
const frameSeconds = 0.01;
/** Longest pause that is looked for. */
const longestSeconds = 1.5;
/** Above the room and below speech. */
const speechDb = 12;

/**
 * Samples from `from` on in which nobody speaks: the frames that are hardly louder than the quietest ones of the
 * recording.
 * @param mono full scale = 1
 */
export function pauseAfter(mono: Float32Array, from: number, sampleRate: number): number {
  const frame = Math.round(frameSeconds * sampleRate);
  const power = (start: number) => {
    let sum = 0;
    for (let n = start; n < start + frame; n += 1) sum += (mono[n] ?? 0) ** 2;
    return sum / frame;
  };
  const powers: number[] = [];
  for (let start = 0; start + frame <= mono.length; start += frame) powers.push(power(start));
  const floor = powers.toSorted((a, b) => a - b)[Math.floor(powers.length * 0.05)] ?? 0;
  const limit = Math.max(1e-8, floor * 10 ** (speechDb / 10));
  const end = Math.min(mono.length, from + longestSeconds * sampleRate);
  let at = from;
  while (at + frame <= end && power(at) <= limit) at += frame;
  return at - from;
}
