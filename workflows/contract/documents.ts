/** What the steps hand to one another, kept as JSON artifacts. */

/**
 * Name of a file in storage, `<sha256 in hex>.<extension>`: the same bytes have the same id, whoever made
 * them. The extension names the content type.
 */
export type ArtifactId = string;

export interface Scene {
  /** Counts from 1. */
  number: number;
  heading: string;
  narration: string;
  bullets: string[];
  imagePrompt: string;
  /** The user's own picture for this scene, instead of a drawn one. */
  imageArtifact: ArtifactId | null;
}

export type SceneEdit = { number: number } & Partial<Omit<Scene, 'number'>>;

/** Result of the content step: what the video is about, before it is cut into scenes. */
export interface ContentDocument {
  title: string;
  description: string;
  language: string;
  sections: { heading: string; text: string }[];
  /** What the user should know, e.g. that the source was cut, or which writer stood in. */
  message: string | null;
}

/** Result of the scripts step. */
export interface ScriptDocument {
  title: string;
  description: string;
  language: string;
  scenes: Scene[];
  message: string | null;
}

/** One spoken word; times in seconds from the start of its audio. `charStart`/`charEnd` index the spoken text. */
export interface WordTiming {
  text: string;
  startSeconds: number;
  endSeconds: number;
  charStart: number;
  charEnd: number;
}

export interface PhonemeTiming {
  phoneme: string;
  startSeconds: number;
  endSeconds: number;
}

/** Result of speaking one text: mono 48 kHz 16-bit WAV and the voice's own times. */
export interface VoiceDocument {
  audio: ArtifactId;
  samples: number;
  words: WordTiming[];
  phonemes: PhonemeTiming[];
}

/** Result of drawing one scene: pictures from back to front. */
export interface PictureDocument {
  /** Opaque picture that fills the frame; it is what a motion moves. */
  background: ArtifactId;
  /** Pictures with alpha, of the frame's size or smaller, laid over the moving background. */
  overlays: PictureOverlay[];
}

/**
 * `x`, `y` in pixels of the frame. `appearAtWord`: index of the narration's word with which the overlay fades
 * in; null shows it from the start.
 */
export interface PictureOverlay {
  artifact: ArtifactId;
  x: number;
  y: number;
  width: number;
  height: number;
  appearAtWord: number | null;
}

export interface NamedArtifact {
  /** e.g. `video`, `captions`, `script`, `picture`, `voice`, `thumbnail`. */
  kind: string;
  /** File name for a download. */
  name: string;
  artifact: ArtifactId;
}
