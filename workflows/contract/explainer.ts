import type { ArtifactId, NamedArtifact } from './documents.js';
import type { JobRef, FromCache } from './jobs.js';
import type { VoiceChoice, ExplainerOptions } from './options.js';

/** Inputs and results of the explainer and of single stages: their workflows first, then their activities. */

/** Input of every job workflow. The bulky parts (prompt, source, edits) stay in the job's row. */
export interface ExplainerInput {
  jobId: string;
  userId: string;
  options: ExplainerOptions;
  /** Set when a scene of this video is edited: the script then comes from the video, with the row's edits. */
  videoId: string | null;
}

export interface ExplainerResult {
  videoId: string;
  durationSeconds: number;
  bytes: number;
}

export const stageNames = ['content', 'scripts', 'images', 'voices', 'captions', 'assembly'] as const;

export type StageName = (typeof stageNames)[number];

/** A single stage. Its inputs are artifacts of earlier stages, checked by the API; the text is in the row. */
export interface StageInput {
  jobId: string;
  userId: string;
  stage: StageName;
  options: ExplainerOptions;
  content: ArtifactId | null;
  script: ArtifactId | null;
  pictures: ArtifactId[];
  voices: ArtifactId[];
  captions: ArtifactId | null;
}

/** llm pool: the prompt or source of the job's row → {@link ContentDocument}. */
export interface WriteContentInput extends JobRef {
  options: ExplainerOptions;
}

export interface WriteContentResult extends FromCache {
  content: ArtifactId;
  message: string | null;
}

/** llm pool: {@link ContentDocument} → {@link ScriptDocument}. */
export interface WriteScriptInput extends JobRef {
  content: ArtifactId;
  options: ExplainerOptions;
}

export interface WriteScriptResult extends FromCache {
  script: ArtifactId;
  sceneCount: number;
  message: string | null;
}

/** orchestration pool: applies `jobs.edits` to a script, or to the scenes of `videoId` when there is one. */
export interface EditScriptInput extends JobRef {
  script: ArtifactId | null;
  videoId: string | null;
}

/** media pool: one scene → {@link PictureDocument}. */
export interface DrawPictureInput extends JobRef {
  script: ArtifactId;
  sceneNumber: number;
  sceneCount: number;
  options: ExplainerOptions;
}

export interface DrawPictureResult extends FromCache {
  picture: ArtifactId;
  /** What the user should know of it; absent in histories from before there were notes. */
  note?: string | null;
}

/** tts pool: one scene → {@link VoiceDocument}. */
export interface SpeakSceneInput extends JobRef {
  script: ArtifactId;
  sceneNumber: number;
  voice: VoiceChoice;
  language: string;
}

export interface SpeakSceneResult extends FromCache {
  voice: ArtifactId;
  durationSeconds: number;
}

/** media pool: script and voices → timeline, cues, and the three caption files. */
export interface TimeCaptionsInput extends JobRef {
  script: ArtifactId;
  voices: ArtifactId[];
  options: ExplainerOptions;
}

export interface TimeCaptionsResult extends FromCache {
  /** JSON: {@link import('../../activities/media/composition.js').CaptionDocument}. */
  captions: ArtifactId;
  vtt: ArtifactId;
  srt: ArtifactId;
  ass: ArtifactId;
}

/** media pool: everything so far → a composition, and the segments that it is rendered in. */
export interface PlanCompositionInput extends JobRef {
  pictures: ArtifactId[];
  voices: ArtifactId[];
  captions: ArtifactId;
  options: ExplainerOptions;
}

export interface PlanCompositionResult extends FromCache {
  composition: ArtifactId;
  /** Frames of each segment, in order; a segment is named by its index. */
  segmentFrames: number[];
  durationSeconds: number;
}

/** media pool: one segment → H.264 streams: its overlap with the one before it, and what it has to itself. */
export interface RenderSegmentInput extends JobRef {
  composition: ArtifactId;
  index: number;
}

export interface RenderSegmentResult extends FromCache {
  /** In the order in which they follow upon one another. */
  units: ArtifactId[];
}

/** media pool: voices and music → one mastered AAC track. */
export interface MixAudioInput extends JobRef {
  composition: ArtifactId;
}

export interface MixAudioResult extends FromCache {
  audio: ArtifactId;
}

/** media pool: segments and sound → MP4, without encoding again. */
export interface AssembleInput extends JobRef {
  composition: ArtifactId;
  /** Of all segments, in order. */
  units: ArtifactId[];
  audio: ArtifactId;
}

export interface AssembleResult extends FromCache {
  video: ArtifactId;
  durationSeconds: number;
  width: number;
  height: number;
  bytes: number;
}

/** media pool: a telling frame of the video → WebP. */
export interface DrawThumbnailInput extends JobRef {
  video: ArtifactId;
  composition: ArtifactId;
}

export interface DrawThumbnailResult extends FromCache {
  thumbnail: ArtifactId;
}

/** orchestration pool: the gallery's row, made or replaced; with it the video is delivered and paid. */
export interface RecordVideoInput extends JobRef {
  videoId: string | null;
  script: ArtifactId;
  assembled: Omit<AssembleResult, 'cached'>;
  captions: Omit<TimeCaptionsResult, 'cached'>;
  thumbnail: ArtifactId;
  /** All files of the job. */
  artifacts: NamedArtifact[];
}

export interface RecordVideoResult {
  videoId: string;
}
