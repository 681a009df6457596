import type { PhonemeTiming, WordTiming } from '../../workflows/contract/documents.js';
import type { EspeakEvent } from './espeak-protocol.js';
import type { EspeakText } from './espeak-text.js';

interface Span {
  start: number;
  end: number;
}

/** Phonemes with their ends; espeak marks pauses by empty phonemes, which end the one before. */
export function phonemeTimings(events: EspeakEvent[], totalSeconds: number): PhonemeTiming[] {
  const marks = events.filter((event) => event.type === 'phoneme');
  return marks.flatMap(({ phoneme, timeMs }, n) => {
    if (phoneme === '') return [];
    const startSeconds = Math.min(timeMs / 1000, totalSeconds);
    const next = marks[n + 1];
    const endSeconds = next === undefined ? totalSeconds : Math.min(next.timeMs / 1000, totalSeconds);
    return [{ phoneme, startSeconds, endSeconds: Math.max(startSeconds, endSeconds) }];
  });
}

/**
 * One timing for each visible word. espeak says "12.50" with five events and "of the" with one: events inside a
 * word are merged, and words without an event share the time of the one before by their length.
 */
export function wordTimings(
  text: string,
  { words }: EspeakText,
  events: EspeakEvent[],
  phonemes: PhonemeTiming[],
  totalSeconds: number,
): WordTiming[] {
  const starts = firstEvents(words, events);
  const timed = words.flatMap((_word, n) => (starts[n] === undefined ? [] : [n]));
  const spans = new Map<number, Span>();
  for (const [k, index] of timed.entries()) {
    const first = k === 0 ? 0 : index;
    const next = timed[k + 1];
    const start = Math.min(starts[index] ?? 0, totalSeconds);
    const limit = next === undefined ? totalSeconds : Math.min(starts[next] ?? totalSeconds, totalSeconds);
    share(words, first, next ?? words.length, { start, end: soundingEnd(phonemes, start, limit) }, spans);
  }
  if (timed.length === 0) share(words, 0, words.length, { start: 0, end: totalSeconds }, spans);
  return words.map(({ charStart, charEnd }, n) => ({
    text: text.slice(charStart, charEnd),
    startSeconds: spans.get(n)?.start ?? totalSeconds,
    endSeconds: spans.get(n)?.end ?? totalSeconds,
    charStart,
    charEnd,
  }));
}

/** Seconds of the first event inside each word. */
function firstEvents(words: EspeakText['words'], events: EspeakEvent[]): (number | undefined)[] {
  const starts: (number | undefined)[] = words.map(() => undefined);
  let current = 0;
  for (const event of events) {
    if (event.type !== 'word') continue;
    // Positions may step back inside a number, never to an earlier word.
    while ((words[current + 1]?.spokenStart ?? Infinity) <= event.textPosition) current += 1;
    starts[current] ??= event.timeMs / 1000;
  }
  return starts;
}

/** Where the last phoneme of a word ends, so that a pause after it is not the word's. */
function soundingEnd(phonemes: PhonemeTiming[], start: number, limit: number): number {
  const own = phonemes.filter(({ startSeconds }) => startSeconds >= start && startSeconds < limit);
  const end = own.at(-1)?.endSeconds;
  return end === undefined ? limit : Math.max(start, Math.min(end, limit));
}

function share(
  words: EspeakText['words'],
  first: number,
  last: number,
  span: Span,
  spans: Map<number, Span>,
): void {
  const weights = words.slice(first, last).map((word) => Math.max(1, word.spokenLength));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const secondsPerUnit = (span.end - span.start) / total;
  let done = 0;
  for (const [n, weight] of weights.entries()) {
    const start = span.start + done * secondsPerUnit;
    done += weight;
    spans.set(first + n, { start, end: done === total ? span.end : span.start + done * secondsPerUnit });
  }
}
