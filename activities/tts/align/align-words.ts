import { openMono, type RecordedSound } from '../mono-sound.js';
import { adapted } from './adapt.js';
import { warpBounded, warpNear } from './band.js';
import { normalised } from './normalise.js';
import type { Reference } from './reference.js';
import { hopSeconds, type SpeechFeatures, speechFeatures } from './speech-features.js';
import { soundingFrames, type SpeechLevels, speechLevels } from './speech-levels.js';
import type { Warp } from './warp.js';
import { type FrameSpan, fittedEdges } from './word-edges.js';

/** Alignments of one reference, each with the voice bent further towards the recorded one. */
const adaptations = 3;

/** A recording as the aligner sees it. */
export interface Recording {
  features: SpeechFeatures;
  levels: SpeechLevels;
  /** Frames that are not quiet. */
  sounding: number[];
}

export interface AlignedWords {
  /** Seconds of the recording; one for each word of the reference, in order. */
  words: { startSeconds: number; endSeconds: number }[];
  /** Mean difference of recording and text; see {@link alignWords}. */
  distance: number;
}

/** Listens to a recording. */
export async function createRecording(recorded: RecordedSound): Promise<Recording> {
  const sound = await openMono(recorded);
  const features = await speechFeatures(sound).finally(() => sound.close());
  const levels = speechLevels(features.levelsDb);
  return { features, levels, sounding: soundingFrames(features.levelsDb, levels) };
}

/**
 * Finds the words of a text in a recording of it, given the same text as one or more synthesized voices say it: every
 * border is the median of what the voices say, then fitted to where there is sound.
 *
 * `distance` is the mean distance of a frame of the closest voice, in standard deviations of a coefficient.
 *
 * @param voices the same words in each, at about the pace of the recording.
 * @throws RangeError when there is no voice, or no word in one.
 */
export function alignWords(recording: Recording, voices: readonly Reference[]): AlignedWords {
  const count = voices[0]?.words ?? 0;
  if (count === 0 || voices.some(({ words }) => words !== count)) {
    throw new RangeError('an alignment needs voices that speak the same words');
  }
  const candidates = voices.map((voice) => alignVoice(recording, voice));
  const border = (n: number, side: keyof FrameSpan) =>
    median(candidates.map(({ spans }) => spans[n]?.[side] ?? 0));
  const spans = Array.from({ length: count }, (_, n) => ({
    start: border(n, 'start'),
    end: border(n, 'end'),
  }));
  const { features, levels } = recording;
  return {
    words: fittedEdges(inOrder(spans), features.levelsDb, levels).map(({ start, end }) => ({
      startSeconds: start * hopSeconds,
      endSeconds: end * hopSeconds,
    })),
    distance: Math.min(...candidates.map(({ cost }) => cost)),
  };
}

function alignVoice(
  { features, levels, sounding }: Recording,
  reference: Reference,
): { spans: FrameSpan[]; cost: number } {
  const { frames, levelsDb } = features;
  const rows = normalised(features.rows, sounding);
  const input = { frames, rows, ...pauseCosts(levelsDb, levels) };
  let found: Warp = warpBounded(reference, input);
  for (let round = 0; round < adaptations; round += 1) {
    const heard = found.path.map((row, frame) => ((levelsDb[frame] ?? 0) < levels.quietDb ? -1 : row));
    found = warpNear(adapted(reference, rows, heard), input, found.path);
  }
  return { spans: wordSpans(found.path, reference.wordOf, reference.words), cost: found.cost };
}

/** What it costs to take a frame for a pause: the louder the dearer, and between words dearer than around them. */
function pauseCosts(levelsDb: Float32Array, { peakDb, floorDb, quietDb }: SpeechLevels) {
  const loudness = (level: number, fromDb: number) =>
    Math.max(0, Math.min(1.2, (level - fromDb) / Math.max(1, peakDb - fromDb)));
  return {
    innerPause: levelsDb.map((level) => 0.5 + 2.2 * loudness(level, floorDb)),
    outerPause: levelsDb.map((level) => 0.5 + 1.5 * loudness(level, quietDb)),
  };
}

function wordSpans(path: Int32Array, wordOf: Int32Array, words: number): FrameSpan[] {
  const spans: (FrameSpan | undefined)[] = Array.from({ length: words });
  for (const [frame, row] of path.entries()) {
    if (row < 0) continue;
    const word = wordOf[row] ?? 0;
    spans[word] = { start: spans[word]?.start ?? frame, end: frame + 1 };
  }
  // A word of one row may have been skipped: it lies at the border then.
  let end = 0;
  return spans.map((span) => {
    const known = span ?? { start: end, end };
    end = known.end;
    return known;
  });
}

function inOrder(spans: FrameSpan[]): FrameSpan[] {
  let at = 0;
  return spans.map(({ start, end }) => {
    const from = Math.max(at, start);
    at = Math.max(from, end);
    return { start: from, end: at };
  });
}

function median(values: number[]): number {
  const sorted = values.sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : Math.round(((sorted[middle - 1] ?? 0) + upper) / 2);
}
