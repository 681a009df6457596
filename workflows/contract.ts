/**
 * The contract between the API, the workflows and the activities: queues, ids, queries, updates, inputs and
 * results. Plain data only: everything here is also loaded into the workflow sandbox.
 */

export const pools = ['orchestration', 'llm', 'tts', 'lipsync', 'media', 'delivery'] as const;
export type Pool = (typeof pools)[number];

/** Name of the Temporal task queue that a pool's workers poll. */
export const taskQueue = (pool: Pool): string => `callsheet-${pool}`;

/** The workflow id is the job id, so a job can be started twice without running twice. */
export const workflowId = (jobId: string): string => jobId;

export const jobTypes = [
  'explainer',
  'dialogue',
  'personalized',
  'lipsync',
  'conversion',
  'publication',
  'stage',
] as const;
export type JobType = (typeof jobTypes)[number];

export const jobStatuses = [
  'queued',
  'in_progress',
  'awaiting_approval',
  'completed',
  'failed',
  'cancelled',
] as const;
export type JobStatus = (typeof jobStatuses)[number];

export const terminalStatuses: readonly JobStatus[] = ['completed', 'failed', 'cancelled'];

export const stepStatuses = [
  'pending',
  'in_progress',
  'completed',
  'failed',
  'skipped',
  'cancelled',
] as const;
export type StepStatus = (typeof stepStatuses)[number];

/** Keyword search attributes that every job workflow carries, for the Web UI's filters. */
export const searchAttributes = { jobType: 'CallsheetJobType', userId: 'CallsheetUserId' } as const;

/** Name of the query that answers with {@link JobProgress}. */
export const progressQuery = 'progress';

/** Name of the update that answers a review gate; argument {@link ApprovalDecision}. */
export const approvalUpdate = 'approval';

export interface ApprovalDecision {
  approved: boolean;
  /** True when `jobs.edits` holds scene edits that the workflow must apply before it goes on. */
  hasEdits: boolean;
}

/** One step as its user sees it. Times are ISO 8601 UTC; `progress` is 0–100. */
export interface StepState {
  stepName: string;
  status: StepStatus;
  progress: number;
  message: string | null;
  attempt: number;
  startedAt: string | null;
  completedAt: string | null;
  errorMessage: string | null;
  cached: boolean;
}

/**
 * The answer of the progress query. `weights` has one positive number a step and says how much of
 * `overallProgress` (0–100) the step is worth; `parallelItems` says how many activities the running step has
 * in all, so that heartbeat fractions can be added to what the workflow itself knows.
 */
export interface JobProgress {
  status: JobStatus;
  overallProgress: number;
  steps: StepState[];
  weights: number[];
  parallelItems: Record<string, number>;
}

/** What a heartbeat of ours carries: how far one item of one step is, 0–1. */
export interface HeartbeatDetail {
  step: string;
  item: number;
  fraction: number;
  message?: string;
}

/** Failure as it stands in a job record and in the `details` of an ApplicationFailure. */
export interface JobError {
  code: string;
  detail: string;
  step: string | null;
  retryable: boolean;
}

// ---------------------------------------------------------------------------------------------------------
// Options of an explainer, validated by the API against these lists before anything is started

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

export const voiceProviders = ['espeak'] as const;
export type VoiceProviderName = (typeof voiceProviders)[number];

/** Languages that the espeak voice speaks, by the synthesizer's own names. */
export const espeakLanguages: readonly string[] =
  `af am an ar as az ba be bg bn bpy bs ca cmn cs cy da de el en-029 en-gb en-gb-scotland
  en-gb-x-gbclan en-gb-x-gbcwmd en-gb-x-rp en-us en-us-nyc eo es es-419 et eu fa fi fo fr-be fr-ch fr ga gd gn grc gu hak
  haw he hi hr ht hu hy hyw ia id io is it ja jbo ka kaa kk kl kn ko kok ku ky la lb lfn lt ltg lv mi mk ml mr ms mt my nb
  nci ne nl nog om or pa pap pl pt pt-br quc qu ro ru sd shn si sk sl smj sq sr sv sw ta te th ti tk tn tr tt ug uk ur uz vi
  vi-vn-x-central vi-vn-x-south yue`.split(/\s+/);

/** Timbres that espeak lays over any of its languages. */
export const espeakVariants = ['max', 'm3', 'm7', 'f2', 'f4', 'Andrea', 'Annie'] as const;

/** Every voice id that espeak takes: `hi`, or with a timbre `en-us+max`. */
export const espeakVoices: readonly string[] = espeakLanguages.flatMap((language) => [
  language,
  ...espeakVariants.map((variant) => `${language}+${variant}`),
]);

const espeakDefaults: Record<string, string> = {
  en: 'en-us',
  zh: 'cmn',
  'zh-hk': 'yue',
  'zh-mo': 'yue',
  no: 'nb',
  nn: 'nb',
  iw: 'he',
  in: 'id',
  'en-au': 'en-gb',
  'en-nz': 'en-gb',
  'en-ie': 'en-gb',
  'en-in': 'en-gb',
  'es-mx': 'es-419',
  'pt-pt': 'pt',
};

/** The espeak voice for a BCP 47 language, or undefined when espeak does not speak it. */
export function espeakVoiceFor(language: string): string | undefined {
  const parts = language.toLowerCase().split('-');
  for (let length = parts.length; length > 0; length -= 1) {
    const tag = parts.slice(0, length).join('-');
    const name = espeakDefaults[tag] ?? (espeakLanguages.includes(tag) ? tag : undefined);
    if (name !== undefined) return `${name}+max`;
  }
  return undefined;
}

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

// ---------------------------------------------------------------------------------------------------------
// Documents: what the steps hand to one another, kept as JSON artifacts

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

// ---------------------------------------------------------------------------------------------------------
// Workflow inputs and results

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

export interface NamedArtifact {
  /** e.g. `video`, `captions`, `script`, `picture`, `voice`, `thumbnail`. */
  kind: string;
  /** File name for a download. */
  name: string;
  artifact: ArtifactId;
}

// ---------------------------------------------------------------------------------------------------------
// Activity inputs and results. Every result says whether it came from the cache.

export interface FromCache {
  cached: boolean;
  /** Which attempt succeeded; the worker adds it to what the activity answers. */
  attempt?: number;
}

export interface JobRef {
  jobId: string;
  userId: string;
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
  /** JSON: {@link import('../activities/media/composition.js').CaptionDocument}. */
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

/** media pool: one segment → an H.264 stream of its own. */
export interface RenderSegmentInput extends JobRef {
  composition: ArtifactId;
  index: number;
}
export interface RenderSegmentResult extends FromCache {
  segment: ArtifactId;
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
  segments: ArtifactId[];
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

/** orchestration pool: the gallery's row, made or replaced. */
export interface RecordVideoInput extends JobRef {
  videoId: string | null;
  script: ArtifactId;
  assembled: Omit<AssembleResult, 'cached'>;
  captions: Omit<TimeCaptionsResult, 'cached'>;
  thumbnail: ArtifactId;
}

/** orchestration pool: the last word on a job; what it reports outlives the engine's retention. */
export interface FinishJobInput extends JobRef {
  status: 'completed' | 'failed' | 'cancelled';
  progress: JobProgress;
  result: Record<string, unknown> | null;
  error: JobError | null;
  artifacts: NamedArtifact[];
}

/** orchestration pool: the row says that work began. With `script` the answer counts its scenes. */
export interface MarkStartedInput extends JobRef {
  script: ArtifactId | null;
}
export interface MarkStartedResult {
  /** Null when no script was named. */
  sceneCount: number | null;
}

/** orchestration pool: the row says that the job waits for its user, who can read the artifacts meanwhile. */
export interface MarkAwaitingApprovalInput extends JobRef {
  artifacts: NamedArtifact[];
}

export interface RecordVideoResult {
  videoId: string;
}
