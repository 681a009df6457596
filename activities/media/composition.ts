import type { ArtifactId } from '../../workflows/contract/documents.js';
import type { BuiltinMusic, CaptionStyle, Motion, Transition } from '../../workflows/contract/options.js';

/**
 * A composition is the plain-data description of a whole video. Pure functions make it, one renderer draws
 * it. Picture time is counted in frames and sound in samples at 48 kHz; seconds appear only inside captions.
 */
export interface Composition {
  width: number;
  height: number;
  fps: number;
  /** One a scene, in order. The segments' frames overlap by their `transitionIn.frames`. */
  segments: SceneSegment[];
  /** Cues to burn in, over the whole timeline; null when captions stay beside the video. */
  captions: { style: CaptionStyle; cues: CaptionCue[] } | null;
  audio: AudioPlan;
}

/** One scene on the timeline: it shows from `startFrame` for `frames` frames. */
export interface SceneSegment {
  startFrame: number;
  frames: number;
  layers: Layer[];
  /** How it comes in over the end of the scene before it; a cut has 0 frames. */
  transitionIn: { kind: Transition; frames: number };
}

/**
 * One picture of a scene, back to front. `cover` scales and crops to fill the frame, `none` draws pixels as
 * they are at `position`. `fadeInFrames` from `inFrame` (relative to the scene); shown to the scene's end.
 */
export interface Layer {
  artifact: ArtifactId;
  fit: 'cover' | 'none';
  motion: { kind: Motion; seed: number };
  position: { x: number; y: number };
  inFrame: number;
  fadeInFrames: number;
}

/** A word on the video's timeline, in seconds. */
export interface CaptionWord {
  text: string;
  startSeconds: number;
  endSeconds: number;
  /** True when no space stands between this word and the one before it, as in Chinese. */
  glued?: boolean;
}

/** What stands on the screen at one time: at most two lines. `lines` index `words`, so that files need not re-break. */
export interface CaptionCue {
  startSeconds: number;
  endSeconds: number;
  speaker: string | null;
  words: CaptionWord[];
  /** Number of words on each line, in order. */
  lines: number[];
}

/** When each scene shows and when its voice starts; the one place where time is laid out. */
export interface SceneTiming {
  startFrame: number;
  frames: number;
  transitionInFrames: number;
  /** Sample at 48 kHz on which the scene's voice starts. */
  voiceStartSample: number;
  voiceSamples: number;
}

/** Result of the captions step, kept as JSON. */
export interface CaptionDocument {
  fps: number;
  totalFrames: number;
  scenes: SceneTiming[];
  cues: CaptionCue[];
  vtt: ArtifactId;
  srt: ArtifactId;
  ass: ArtifactId;
}

export interface AudioPlan {
  /** Length of the whole track in samples at 48 kHz. */
  samples: number;
  clips: AudioClip[];
  music: (({ builtin: BuiltinMusic } | { artifact: ArtifactId }) & { gainDb: number; duck: boolean }) | null;
  /** Integrated loudness to reach, EBU R 128. */
  loudnessLufs: number;
  truePeakDbtp: number;
}

export interface AudioClip {
  artifact: ArtifactId;
  startSample: number;
  samples: number;
  gainDb: number;
  fadeSamples: number;
}

/**
 * What one encoder run draws: a stretch of one scene, or the overlap of two. It holds just what shows in it,
 * with frames counted from its own start, so that its hash is its cache key.
 */
export interface RenderUnit {
  width: number;
  height: number;
  fps: number;
  frames: number;
  /** One shot, or two when a transition mixes them. `offset`: frame of the scene on which the unit starts. */
  shots: { layers: Layer[]; sceneFrames: number; offset: number }[];
  transition: Transition | null;
  captions: { style: CaptionStyle; cues: CaptionCue[] } | null;
}

/**
 * A caption drawn ahead, for a compositor to lay over frames. `x`, `y` in pixels of the frame, even; pictures
 * are packed RGBA, with alpha that the colours are not multiplied by.
 */
export interface CaptionStrip {
  x: number;
  y: number;
  width: number;
  height: number;
  /** Without any mark. */
  rgba: Buffer;
  /** With all words marked: other colours, the same alpha. Absent when no show takes anything from it. */
  marked?: Buffer;
  /** In order of time. No two shows of a unit share a frame. */
  shows: CaptionShow[];
}

/** `frames` frames from `firstFrame` on, on which these areas are taken from the marked picture. */
export interface CaptionShow {
  firstFrame: number;
  frames: number;
  /** In pixels of the frame, all even. */
  areas: Area[];
}

export interface Area {
  left: number;
  top: number;
  right: number;
  bottom: number;
}
