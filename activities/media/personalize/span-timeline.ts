import {
  stretchLimits,
  type PersonalizedOptions,
  type PreparedBase,
} from '../../../workflows/contract/personalized.js';
import { frameSamples } from '../aac/adts.js';
import { secondsOf } from './frame-rates.js';

/** How one span changes its base's length for one recipient. */
export interface SpanTimeline {
  /** Pictures that the span has for this recipient. */
  frames: number;
  /** Samples of the base's sound that the span has now; it grows or shrinks by whole AAC frames. */
  samples: number;
  /** Samples that the new words themselves may take; the rest is silence. */
  wordSamples: number;
}

/** True where a span grows or shrinks to what its new words take; elsewhere these have to fit. */
export function takesWordsLength({
  insertMode,
  naturalSpeed,
}: Pick<PersonalizedOptions, 'insertMode' | 'naturalSpeed'>): boolean {
  return naturalSpeed && insertMode !== 'gold';
}

/**
 * Lays out the spans of one recipient. Where the pictures are copied, a span keeps its length and the words have
 * to fit. Where they are encoded and natural speed is asked for, the span takes the words' length: by whole
 * pictures, and by whole AAC frames that follow them as closely as they can, so that sound and picture are
 * never further apart than half an AAC frame, however many spans there are.
 *
 * @param wordSeconds how long the new words are at their natural speed, one a span.
 */
export function layOutSpans(
  prepared: Pick<PreparedBase, 'spans' | 'sampleRate' | 'frameRate'>,
  options: Pick<PersonalizedOptions, 'insertMode' | 'naturalSpeed' | 'gapSeconds'>,
  wordSeconds: readonly number[],
): SpanTimeline[] {
  const { sampleRate, frameRate } = prepared;
  const pictureSamples = secondsOf(1, frameRate) * sampleRate;
  const mayGrow = takesWordsLength(options);
  const isSilver = options.insertMode === 'silver';
  let grownFrames = 0;
  let grownSamples = 0;
  return prepared.spans.map((span, index) => {
    const own = span.endSample - span.startSample;
    const pictures = span.endFrame - span.startFrame;
    const words = Math.round((wordSeconds[index] ?? 0) * sampleRate);
    if (!mayGrow) return { frames: pictures, samples: own, wordSamples: Math.min(words, own) };
    const wanted = words + Math.round(options.gapSeconds * sampleRate) - own;
    if (isSilver) return { frames: pictures, samples: own + wanted, wordSamples: words };
    // Fewer than one picture cannot be shown.
    const growth = Math.max(1 - pictures, Math.round(wanted / pictureSamples));
    grownFrames += growth;
    const due = Math.round((grownFrames * pictureSamples) / frameSamples) * frameSamples;
    const samples = Math.max(own % frameSamples, own + due - grownSamples);
    grownSamples += samples - own;
    return { frames: pictures + growth, samples, wordSamples: Math.min(words, samples) };
  });
}

/** Tempo at which words of one length fill another, within what still sounds like speech. */
export function fittingTempo(natural: number, available: number): number {
  const { slowest, fastest } = stretchLimits;
  return Math.min(fastest, Math.max(slowest, natural / Math.max(1, available)));
}
