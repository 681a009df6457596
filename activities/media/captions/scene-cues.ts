import type { VoiceDocument } from '../../../workflows/contract/documents.js';
import type { CaptionCue, SceneTiming } from '../composition.js';
import { breakIntoCues } from './cues.js';
import { narrationWords } from './narration-words.js';
import { aloneUntilFrame, sampleRate } from './timeline.js';

export interface SceneCuesInput {
  scenes: readonly SceneTiming[];
  /** What each scene's voice says, as the captions show it. */
  narrations: readonly string[];
  voices: readonly Pick<VoiceDocument, 'words'>[];
  fps: number;
  /** Width of a caption line in average letters. */
  lineLetters: number;
}

/** The cues of all scenes on the timeline of the video; none reaches from one scene into another. */
export function cuesOfScenes({ scenes, narrations, voices, fps, lineLetters }: SceneCuesInput): CaptionCue[] {
  return scenes.flatMap((scene, index) => {
    const offset = scene.voiceStartSample / sampleRate;
    const duration = scene.voiceSamples / sampleRate;
    const words = narrationWords(narrations[index] ?? '', voices[index]?.words ?? [], duration, lineLetters);
    const placed = words.map((word) => ({
      ...word,
      startSeconds: offset + wholeMilliseconds(word.startSeconds),
      endSeconds: offset + wholeMilliseconds(word.endSeconds),
    }));
    return breakIntoCues(placed, { lineLetters, untilSeconds: aloneUntilFrame(scenes, index) / fps });
  });
}

/**
 * The cues that show in a stretch of the video, with times from its start. Times are rounded to a tenth of a
 * millisecond, so that a stretch which only moves along the timeline keeps its content key.
 */
export function cuesWithin(
  cues: readonly CaptionCue[],
  stretch: { startFrame: number; frames: number; fps: number },
): CaptionCue[] {
  const start = stretch.startFrame / stretch.fps;
  const end = (stretch.startFrame + stretch.frames) / stretch.fps;
  return cues
    .filter((cue) => cue.endSeconds > start && cue.startSeconds < end)
    .map((cue) => ({
      ...cue,
      startSeconds: round(cue.startSeconds - start),
      endSeconds: round(cue.endSeconds - start),
      words: cue.words.map((word) => ({
        ...word,
        startSeconds: round(word.startSeconds - start),
        endSeconds: round(word.endSeconds - start),
      })),
    }));
}

/**
 * Word times are kept to the millisecond from the start of their voice, which lies on a frame; a time within a
 * stretch is then a multiple of 1/3000 s, which four decimals round alike wherever the stretch stands.
 */
const wholeMilliseconds = (seconds: number) => Math.round(seconds * 1000) / 1000;

const round = (seconds: number) => Math.round(seconds * 10_000) / 10_000;
