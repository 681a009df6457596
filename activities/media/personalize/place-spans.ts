import {
  maxMovedSeconds,
  type OpenedBase,
  type PlacedSpan,
  type SpanRequest,
} from '../../../workflows/contract/personalized.js';
import { invalidInput } from '../../failures.js';
import { frameAt } from './frame-rates.js';

/** How a base's clock, samples and pictures go together. */
export type BaseTimes = Pick<
  OpenedBase,
  'soundStartSeconds' | 'pictureStartSeconds' | 'samples' | 'sampleRate' | 'frames' | 'frameRate'
>;

/**
 * From seconds of the base to its samples and pictures. Where pictures change, each belongs to one span only: the later
 * of two that touch.
 *
 * @param requests in order and apart from one another.
 * @throws ApplicationFailure `spans_outside_base`; where pictures change also `span_too_long`, and `spans_too_close`
 *   where one would be left without a picture
 */
export function placeSpans(
  requests: readonly SpanRequest[],
  base: BaseTimes,
  { changesPictures }: { changesPictures: boolean },
): PlacedSpan[] {
  if (changesPictures) requests.forEach(refuseLong);
  const placed = requests.map((span) => placeSpan(span, base));
  return placed.map((span, index) => {
    const endFrame = Math.min(span.endFrame, placed[index + 1]?.startFrame ?? Infinity);
    if (changesPictures && endFrame <= span.startFrame) throw tooClose(requests[index], requests[index + 1]);
    return { ...span, endFrame };
  });
}

function placeSpan(span: SpanRequest, base: BaseTimes): PlacedSpan {
  const sampleAt = (seconds: number) => Math.round((seconds - base.soundStartSeconds) * base.sampleRate);
  // Before its first sample a base has no sound to replace.
  const startSample = Math.max(0, Math.min(base.samples, sampleAt(span.startSeconds)));
  const endSample = Math.min(base.samples, sampleAt(span.endSeconds));
  const isEmpty = span.endSeconds === span.startSeconds;
  if (endSample <= startSample && !isEmpty) {
    const from = base.soundStartSeconds;
    const to = from + base.samples / base.sampleRate;
    throw invalidInput({
      code: 'spans_outside_base',
      detail: `A span from ${span.startSeconds} to ${span.endSeconds} s does not lie in the sound of the base, from ${from.toFixed(1)} to ${to.toFixed(1)} s.`,
    });
  }
  const shownAt = (seconds: number) => frameAt(seconds - base.pictureStartSeconds, base.frameRate);
  const startFrame = Math.max(0, Math.min(base.frames - 1, shownAt(span.startSeconds)));
  const endFrame = Math.max(startFrame + 1, Math.min(base.frames, shownAt(span.endSeconds) + 1));
  return { startSample, endSample: Math.max(startSample, endSample), startFrame, endFrame, text: span.text };
}

function refuseLong({ startSeconds, endSeconds }: SpanRequest): void {
  if (endSeconds - startSeconds <= maxMovedSeconds) return;
  throw invalidInput({
    code: 'span_too_long',
    detail: `The span from ${startSeconds.toFixed(1)} to ${endSeconds.toFixed(1)} s is too long: mouths are moved for at most ${maxMovedSeconds} s.`,
  });
}

function tooClose(one: SpanRequest | undefined, next: SpanRequest | undefined) {
  const at = [one, next].map((span) => (span?.startSeconds ?? 0).toFixed(2));
  return invalidInput({
    code: 'spans_too_close',
    detail: `The spans at ${at.join(' and ')} s begin with the same picture, which only one of them can change: join them, or set them apart.`,
  });
}
