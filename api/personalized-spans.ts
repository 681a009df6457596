import { changesPictures, maxMovedSeconds } from '../workflows/contract/personalized.js';
import type { PersonalizedFields } from './personalized-request.js';
import { refuseField } from './validation.js';

/**
 * There is one way in which spans are said, and they are apart from one another, and short where pictures change.
 * @throws ProblemError `validation_failed`
 */
export function checkSpans(body: PersonalizedFields): void {
  const { transcript, placeholders, platinumPlaceholders } = body;
  if (placeholders !== undefined && (transcript !== undefined || platinumPlaceholders !== undefined)) {
    throw refuseField('body.placeholders', 'cannot be given together with a transcript');
  }
  if (platinumPlaceholders !== undefined && transcript === undefined) {
    throw refuseField('body.transcript', 'is required to find the words of platinumPlaceholders');
  }
  if (transcript !== undefined && platinumPlaceholders === undefined && !transcript.includes('[')) {
    throw refuseField('body.transcript', 'has no part in brackets to replace');
  }
  const ordered = placeholders?.toSorted((a, b) => a.startSeconds - b.startSeconds) ?? [];
  const overlapping = ordered.findIndex((span, index) => {
    const next = ordered[index + 1];
    return next !== undefined && next.startSeconds < span.endSeconds;
  });
  if (overlapping >= 0) throw refuseField('body.placeholders', 'must not overlap');
  const long = changesPictures(body.insertMode) ? (placeholders?.findIndex(isLong) ?? -1) : -1;
  if (long >= 0) {
    const message = `must be ${maxMovedSeconds} s at most where pictures change`;
    throw refuseField(`body.placeholders.${long}.endSeconds`, message);
  }
}

const isLong = ({ startSeconds, endSeconds }: { startSeconds: number; endSeconds: number }) =>
  endSeconds - startSeconds > maxMovedSeconds;
