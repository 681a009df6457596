import type { Scene } from '../../../workflows/contract/documents.js';
import type { AspectRatio, Motion, PictureProviderName, Theme } from '../../../workflows/contract/options.js';

/** What a provider needs to know to draw one scene. Everything here is part of the picture's cache key. */
export interface PictureSubject {
  scene: Scene;
  sceneCount: number;
  /** Title of the whole video; only the first scene shows it. */
  title: string | null;
  /** BCP 47; chooses local letter forms and line breaks. */
  language: string;
  theme: Theme;
  aspectRatio: AspectRatio;
  /** The frame in pixels. */
  width: number;
  height: number;
  motion: Motion;
  /** Keeps the lower fifth of the frame free. */
  captionsBurned: boolean;
}

export interface PictureRequest extends PictureSubject {
  /** Path of the user's own picture, already fetched; null when the provider draws the background. */
  imagePath: string | null;
}

/** A picture file in memory. */
export interface EncodedPicture {
  bytes: Uint8Array;
  extension: 'png' | 'jpg';
  width: number;
  height: number;
}

/** A picture with alpha that stands still over the background; `x`, `y` in pixels of the frame. */
export interface DrawnOverlay extends EncodedPicture {
  x: number;
  y: number;
  /** Index of the narration's word with which it fades in; null shows it from the start. */
  appearAtWord: number | null;
}

/** Pictures of one scene, back to front. */
export interface DrawnPicture {
  /** Opaque, of the frame's proportions; larger than the frame where a motion will move it. */
  background: EncodedPicture;
  overlays: DrawnOverlay[];
  /** What the user should know, e.g. that no font here draws some of the characters. */
  note: string | null;
}

/** One way of making pictures for scenes. `version` is raised when the same request gives another picture. */
export interface PictureProvider {
  name: PictureProviderName;
  version: number;
  /** What else the picture depends on, as plain data: it becomes part of the cache key. */
  surroundings(request: PictureSubject): Promise<unknown>;
  /** @throws ApplicationFailure, non-retryable for a picture of the user's that cannot be used. */
  draw(request: PictureRequest, signal: AbortSignal): Promise<DrawnPicture>;
}
