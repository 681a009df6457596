import type { WordTiming } from '../../../workflows/contract/documents.js';
import type { MarkedPart, MarkedTranscript } from '../../../workflows/contract/marked-transcript.js';
import { invalidInput } from '../../failures.js';
import { alignTranscript } from '../align/align-transcript.js';
import { type MonoSound, openMono, type RecordedSound } from '../mono-sound.js';
import type { VoiceProvider } from '../voice.js';
import { nearestQuiet } from './quiet-points.js';

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
 * @throws ApplicationFailure `transcript_marks_touch` where two parts share a word; see also
 *   `alignTranscript`.
 */
export async function findTranscriptSpans(
  voice: Pick<VoiceProvider, 'speak' | 'resolveVoice'>,
  { text, parts }: MarkedTranscript,
  { language, ...recorded }: RecordedSound & { language: string },
  signal: AbortSignal,
): Promise<TranscriptSpans> {
  const { words, distance } = await alignTranscript(voice, { text, language, ...recorded }, signal);
  const sound = await openMono(recorded);
  const spans = await spansOfParts(words, parts, sound).finally(() => sound.close());
  return { spans, distance };
}

/** The spans of parts whose words' times are known. */
async function spansOfParts(
  words: readonly WordTiming[],
  parts: readonly MarkedPart[],
  sound: MonoSound,
): Promise<FoundSpan[]> {
  const duration = sound.samples / sound.rate;
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
    const startSeconds = await nearestQuiet(sound, from.startSeconds, {
      from: Math.max(before, from.startSeconds - outwardSeconds),
      to: Math.max(before, from.startSeconds + inwardSeconds),
    });
    const endSeconds = await nearestQuiet(sound, to.endSeconds, {
      from: Math.min(after, to.endSeconds - inwardSeconds),
      to: Math.min(after, to.endSeconds + outwardSeconds),
    });
    earliest = Math.min(duration, Math.max(endSeconds, startSeconds + shortestSeconds));
    spans.push({ startSeconds, endSeconds: earliest, replacement });
  }
  return spans;
}

const middleOf = (word: WordTiming | undefined) =>
  word === undefined ? undefined : (word.startSeconds + word.endSeconds) / 2;
