import type { SpeechLevels } from './speech-levels.js';

/** Frames of 10 ms: from `start` (inclusive) to `end` (exclusive). */
export interface FrameSpan {
  start: number;
  end: number;
}

/** A gap of so many quiet frames between two words parts them. */
const minGapFrames = 10;
/** How far from a border a gap may be. */
const gapReach = 15;
/** Sound that follows a word after so short a gap, and that no other word claims, is still the word. */
const tailGapFrames = 16;
const minTailFrames = 5;
const maxTailFrames = 45;
const tailMarginDb = 3;
const minWordFrames = 3;

/** Corrects borders by what the ear goes by: words end and begin where there is sound. */
export function fittedEdges(
  words: readonly FrameSpan[],
  levelsDb: Float32Array,
  levels: SpeechLevels,
): FrameSpan[] {
  const spans = words.map((word) => ({ ...word }));
  for (const [n, span] of spans.entries()) trimEdges(span, spans[n - 1], spans[n + 1], levelsDb, levels);
  for (const [n, span] of spans.entries()) takeTail(span, spans[n + 1], levelsDb, levels);
  for (const [n, span] of spans.entries()) {
    const next = spans[n + 1];
    if (next !== undefined) partAtGap(span, next, levelsDb, levels);
  }
  return spans;
}

/** Takes silence off the ends of a word: any beside a pause, only much of it inside speech. */
function trimEdges(
  span: FrameSpan,
  before: FrameSpan | undefined,
  after: FrameSpan | undefined,
  levelsDb: Float32Array,
  { peakDb, floorDb }: SpeechLevels,
): void {
  const limit = floorDb + 0.2 * (peakDb - floorDb);
  const quietRun = (at: (n: number) => number) => {
    let score = 0;
    let best = { score: 0, frames: 0 };
    for (let n = 1; n <= span.end - span.start - minWordFrames && score > -12; n += 1) {
      score += (levelsDb[at(n)] ?? 0) < limit ? 1 : -2;
      if (score > best.score) best = { score, frames: n };
    }
    return best.frames;
  };
  const atEnd = quietRun((n) => span.end - n);
  if (atEnd >= ((after?.start ?? Infinity) > span.end ? 2 : 8)) span.end -= atEnd - 1;
  const atStart = quietRun((n) => span.start + n - 1);
  if (atStart >= ((before?.end ?? -Infinity) < span.start ? 2 : 8)) span.start += atStart - 1;
}

function takeTail(
  span: FrameSpan,
  after: FrameSpan | undefined,
  levelsDb: Float32Array,
  { quietDb }: SpeechLevels,
): void {
  const limit = Math.min(after?.start ?? levelsDb.length, span.end + maxTailFrames);
  const isLoud = (frame: number) => (levelsDb[frame] ?? -Infinity) >= quietDb + tailMarginDb;
  for (;;) {
    let from = span.end;
    while (from < limit && from < span.end + tailGapFrames && !isLoud(from)) from += 1;
    if (from >= limit || !isLoud(from)) return;
    let to = from;
    while (to < limit && isLoud(to)) to += 1;
    // What sounds on beyond the limit is no end of a word.
    if (to - from < minTailFrames || to >= limit) return;
    span.end = to;
  }
}

/** Where two words touch and the longest quiet stretch lies close by, that is where they part. */
function partAtGap(
  span: FrameSpan,
  after: FrameSpan,
  levelsDb: Float32Array,
  { quietDb }: SpeechLevels,
): void {
  if (after.start - span.end >= 3) return;
  const border = (span.end + after.start) >> 1;
  const to = Math.min(after.end - 2, border + gapReach + 40);
  let gap: FrameSpan | undefined;
  let start: number | undefined;
  for (let frame = Math.max(span.start + 2, border - gapReach); frame <= to; frame += 1) {
    const isQuiet = (levelsDb[frame] ?? -Infinity) < quietDb;
    if (isQuiet) start ??= frame;
    else if (start !== undefined) {
      const length = frame - start;
      if (length >= minGapFrames && start <= border + gapReach && length > (gap ? gap.end - gap.start : 0)) {
        gap = { start, end: frame };
      }
      start = undefined;
    }
  }
  if (gap === undefined) return;
  span.end = gap.start + 1;
  after.start = gap.end - 1;
}
