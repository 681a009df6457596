import type { WordTiming } from '../../../workflows/contract/documents.js';
import type { MarkedPart, MarkedTranscript } from '../../../workflows/contract/marked-transcript.js';
import { invalidInput } from '../../failures.js';
import { alignTranscript } from '../align/align-transcript.js';
import type { VoiceProvider } from '../voice.js';
import { createQuietPoints } from './quiet-points.js';

/** A stretch of a recording whose words are replaced, in seconds. */
export interface FoundSpan {
  startSeconds: number;
  endSeconds: number;
  /** What is said instead; null where the transcript does not say. */
  replacement: string | null;
}

export interface TranscriptSpans {
  spans: FoundSpan[];
  /** See `alignTranscript`. */
  distance: number;
}

/** How far a border may move outwards, and inwards, to a quieter moment. */
const outwardSeconds = 0.08;
const inwardSeconds = 0.02;
const shortestSeconds = 0.05;

/**
 * Finds the marked parts of a transcript in a recording of it, by forced alignment: from just before the first word
 * of a part to just after its last, each border at the nearest quiet moment.
 *
 * @param recording mono, −1…1.
 * @throws ApplicationFailure `transcript_marks_touch` where two parts share a word; see also
 *   `alignTranscript`.
 */
export async function findTranscriptSpans(
  voice: Pick<VoiceProvider, 'speak' | 'resolveVoice'>,
  { text, parts }: MarkedTranscript,
  recording: { samples: Float32Array; rate: number; language: string },
  signal: AbortSignal,
): Promise<TranscriptSpans> {
  const { samples, rate, language } = recording;
  const { words, distance } = await alignTranscript(voice, { text, language, samples, rate }, signal);
  return { spans: spansOfParts(words, parts, recording), distance };
}

/** The spans of parts whose words' times are known. */
export function spansOfParts(
  words: readonly WordTiming[],
  parts: readonly MarkedPart[],
  { samples, rate }: { samples: Float32Array; rate: number },
): FoundSpan[] {
  const quiet = createQuietPoints(samples, rate);
  const duration = samples.length / rate;
  const spans: FoundSpan[] = [];
  let nextWord = 0;
  let earliest = 0;
  for (const { charStart, charEnd, replacement } of parts) {
    const first = words.findIndex((word) => word.charEnd > charStart);
    const last = words.findLastIndex((word) => word.charStart < charEnd);
    const [from, to] = [words[first], words[last]];
    if (from === undefined || to === undefined || first > last || first < nextWord) {
      throw invalidInput({
        code: 'transcript_marks_touch',
        detail: 'Two marked parts of the transcript share a word: set a space between them.',
      });
    }
    nextWord = last + 1;
    const before = Math.max(earliest, middleOf(words[first - 1]) ?? 0);
    const after = Math.min(duration, middleOf(words[last + 1]) ?? duration);
    const startSeconds = quiet.nearest(
      from.startSeconds,
      Math.max(before, from.startSeconds - outwardSeconds),
      Math.max(before, from.startSeconds + inwardSeconds),
    );
    const endSeconds = quiet.nearest(
      to.endSeconds,
      Math.min(after, to.endSeconds - inwardSeconds),
      Math.min(after, to.endSeconds + outwardSeconds),
    );
    earliest = Math.min(duration, Math.max(endSeconds, startSeconds + shortestSeconds));
    spans.push({ startSeconds, endSeconds: earliest, replacement });
  }
  return spans;
}

const middleOf = (word: WordTiming | undefined) =>
  word === undefined ? undefined : (word.startSeconds + word.endSeconds) / 2;
