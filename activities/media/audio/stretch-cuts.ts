import { frameSamples, streamFrames } from '../aac/adts.js';
import { contextFrames } from '../aac/encode-stretch.js';
import type { AudioPlan } from '../composition.js';

/** The music begins to give way to a voice up to 0.65 s before it; what belongs to a voice begins here. */
const beforeVoiceSamples = 33_600;
/** Shorter stretches would hold less than what is encoded along with them. */
const shortestFrames = 16;
/** Half a minute, so that an edit costs no more than that where nobody speaks for long. */
const longestFrames = 1_406;

/**
 * Where the sound is cut into stretches that are encoded apart: in the pauses, so that an edited scene changes
 * no stretch before it. Without music a voice is a stretch of its own and so is a pause, so that the voices
 * after it are not changed either, only moved.
 * @returns indexes of frames, from 0 to the number of frames of the whole stream.
 */
export function stretchCuts({
  samples,
  clips,
  music,
}: Pick<AudioPlan, 'samples' | 'clips' | 'music'>): number[] {
  const end = streamFrames(samples);
  const cuts = [0];
  const last = () => cuts.at(-1) ?? 0;
  const add = (wanted: number) => {
    const cut = Math.min(wanted, end);
    while (cut - last() >= longestFrames + shortestFrames) cuts.push(last() + longestFrames);
    if (cut - last() >= shortestFrames && end - cut >= shortestFrames) cuts.push(cut);
  };
  let spokenUntil = 0;
  for (const clip of [...clips].sort((a, b) => a.startSample - b.startSample)) {
    if (music === null) add(Math.floor(clip.startSample / frameSamples) - silentFrames);
    else add(Math.floor(Math.max(spokenUntil, clip.startSample - beforeVoiceSamples) / frameSamples));
    spokenUntil = Math.max(spokenUntil, clip.startSample + clip.samples);
    if (music === null) add(Math.ceil(spokenUntil / frameSamples) + 1 + silentFrames);
  }
  add(end);
  return [...cuts, end];
}

/** All that is encoded along with a voice alone is silence. */
const silentFrames = contextFrames + 2;
