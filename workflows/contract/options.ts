import type { ArtifactId } from './documents.js';
import type { VoiceProviderName } from './voices.js';

/** What the user of an explainer may choose; the API validates against these lists before anything is started. */

export const aspectRatios = ['16:9', '9:16', '1:1'] as const;

export type AspectRatio = (typeof aspectRatios)[number];

export const resolutions = ['720p', '1080p', '4k'] as const;

export type Resolution = (typeof resolutions)[number];

export const themes = ['midnight', 'paper', 'aurora'] as const;

export type Theme = (typeof themes)[number];

export const transitions = ['cut', 'fade', 'slide'] as const;

export type Transition = (typeof transitions)[number];

export const motions = ['none', 'kenburns'] as const;

export type Motion = (typeof motions)[number];

export const captionStyles = ['classic', 'karaoke', 'boxed'] as const;

export type CaptionStyle = (typeof captionStyles)[number];

export const captionModes = ['burned', 'sidecar', 'both', 'none'] as const;

export type CaptionMode = (typeof captionModes)[number];

export const builtinMusic = ['calm', 'bright', 'pulse'] as const;

export type BuiltinMusic = (typeof builtinMusic)[number];

export const writers = ['outline', 'gemini'] as const;

export type WriterName = (typeof writers)[number];

export const pictureProviders = ['slides'] as const;

export type PictureProviderName = (typeof pictureProviders)[number];

export interface VoiceChoice {
  provider: VoiceProviderName;
  /** Provider's voice name; null lets the provider choose by language. */
  voiceId: string | null;
  /** 0.5–2, 1 is the voice's own pace. */
  speed: number;
}

/** A built-in bed, or an audio artifact of the user's. `volumeDb` is relative to the bed's usual level. */
export type MusicChoice =
  { builtin: BuiltinMusic; volumeDb: number } | { artifact: ArtifactId; volumeDb: number };

export interface ExplainerOptions {
  language: string;
  sceneCount: number | null;
  aspectRatio: AspectRatio;
  resolution: Resolution;
  theme: Theme;
  voice: VoiceChoice;
  captions: { mode: CaptionMode; style: CaptionStyle };
  music: MusicChoice | null;
  images: { provider: PictureProviderName };
  transition: Transition;
  motion: Motion;
  review: 'script' | null;
}

/** Most scenes one video may have; a longer source is bounded and the job's message says so. */
export const maxScenes = 100;
