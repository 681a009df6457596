import { openMono } from '../mono-sound.js';
import { type SpokenText, voiceRate } from '../voice.js';
import { normalised } from './normalise.js';
import { featureSize, hopSeconds, speechFeatures } from './speech-features.js';
import { speechLevels } from './speech-levels.js';

/** Synthesized words as rows of features one after the other, without the silence between them. */
export interface Reference {
  rows: Float32Array;
  /** Word of each row; every word has one row at least. */
  wordOf: Int32Array;
  words: number;
}

/** How far below the speech the sound is that is taken off the ends of a word beside a pause, dB. */
const edgeDb = 30;
const minWordFrames = 4;

/** Looks at speech whose word times are known. */
export async function createReference({ pcm, words }: Pick<SpokenText, 'pcm' | 'words'>): Promise<Reference> {
  const sound = await openMono({ samples: pcm, rate: voiceRate });
  const { rows, levelsDb, frames } = await speechFeatures(sound);
  const limit = speechLevels(levelsDb).peakDb - edgeDb;
  const isQuiet = (frame: number) => (levelsDb[frame] ?? -Infinity) < limit;
  const kept: number[] = [];
  const wordOf: number[] = [];
  for (const [n, word] of words.entries()) {
    let first = Math.min(frames - 1, Math.ceil(word.startSeconds / hopSeconds));
    let last = Math.min(frames - 1, Math.max(first, Math.ceil(word.endSeconds / hopSeconds) - 1));
    const pauseBefore = n === 0 || (words[n - 1]?.endSeconds ?? 0) < word.startSeconds - 0.005;
    const pauseAfter = (words[n + 1]?.startSeconds ?? Infinity) > word.endSeconds + 0.005;
    while (pauseBefore && last - first >= minWordFrames && isQuiet(first)) first += 1;
    while (pauseAfter && last - first >= minWordFrames && isQuiet(last)) last -= 1;
    for (let frame = first; frame <= last; frame += 1) {
      kept.push(frame);
      wordOf.push(n);
    }
  }
  const normal = normalised(rows, kept);
  const out = new Float32Array(kept.length * featureSize);
  for (const [row, frame] of kept.entries()) {
    out.set(normal.subarray(frame * featureSize, (frame + 1) * featureSize), row * featureSize);
  }
  return { rows: out, wordOf: Int32Array.from(wordOf), words: words.length };
}
