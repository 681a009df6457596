import type { Transition } from '../../../workflows/contract/options.js';
import type { SceneTiming } from '../composition.js';

/** Everything about sound is counted at this rate. */
export const sampleRate = 48_000;

export interface TimelineInput {
  /** Length of each scene's voice in samples at 48 kHz; 0 for a scene without words. */
  voiceSamples: readonly number[];
  transition: Transition;
  fps: number;
}

export interface Timeline {
  scenes: SceneTiming[];
  totalFrames: number;
}

/**
 * Lays the scenes out in time: the one place where it is done. Scenes overlap by the transition's frames; a
 * voice starts when its scene is fully there and ends before the next one begins to come in, so two voices
 * never sound at once and no caption stands in a transition. Every voice starts on a frame.
 * @throws RangeError when a frame is not a whole number of samples.
 */
export function layOutScenes({ voiceSamples, transition, fps }: TimelineInput): Timeline {
  const perFrame = samplesPerFrame(fps);
  const overlap = transitionFrames(transition, fps);
  const leadIn = Math.max(Math.ceil(0.35 * fps), overlap);
  const scenes: SceneTiming[] = [];
  let startFrame = 0;
  for (const [index, samples] of voiceSamples.entries()) {
    const isLast = index === voiceSamples.length - 1;
    const transitionInFrames = index === 0 ? 0 : overlap;
    const quietAfter = isLast
      ? Math.ceil(1.2 * fps)
      : Math.max(Math.ceil(0.5 * fps), overlap + holdFrames(fps));
    const spoken = Math.max(Math.ceil(samples / perFrame), Math.ceil(shortestSceneSeconds * fps));
    const frames = leadIn + spoken + quietAfter;
    scenes.push({
      startFrame,
      frames,
      transitionInFrames,
      voiceStartSample: (startFrame + leadIn) * perFrame,
      voiceSamples: samples,
    });
    startFrame += frames - (isLast ? 0 : overlap);
  }
  return { scenes, totalFrames: startFrame };
}

/** How long two scenes overlap: half a second, or not at all for a cut. */
export function transitionFrames(transition: Transition, fps: number): number {
  return transition === 'cut' ? 0 : Math.round(fps / 2);
}

/** @throws RangeError when a frame is not a whole number of samples at 48 kHz. */
export function samplesPerFrame(fps: number): number {
  const samples = sampleRate / fps;
  if (!Number.isInteger(samples))
    throw new RangeError(`${fps} frames a second do not divide ${sampleRate} Hz`);
  return samples;
}

/** Frame on which a scene has the screen for itself no longer, because the next one begins to come in. */
export function aloneUntilFrame(scenes: readonly SceneTiming[], index: number): number {
  const scene = scenes[index];
  if (scene === undefined) throw new RangeError(`no scene ${index}`);
  return scenes[index + 1]?.startFrame ?? scene.startFrame + scene.frames;
}

/** A scene without a word still has to be seen. */
const shortestSceneSeconds = 1;

/** The last caption of a scene stays this much longer than its voice before the picture changes. */
const holdFrames = (fps: number) => Math.ceil(0.2 * fps);
