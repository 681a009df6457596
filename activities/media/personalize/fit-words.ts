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
