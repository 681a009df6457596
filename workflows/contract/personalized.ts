import type { ArtifactId } from './documents.js';
import type { FromCache, JobError, JobProgress, JobRef } from './jobs.js';

/** One base video and many recipients: options, documents, workflows and activity messages. */

/**
 * `silver`: sound alone. `gold`: the video goes on and the spoken words are replaced. `diamond`: gold, and the
 * mouth moves with the new words. `platinum`: several spans, and the mouth with them.
 */
export const insertModes = ['silver', 'gold', 'diamond', 'platinum'] as const;
export type InsertMode = (typeof insertModes)[number];

/** Outside of a transcript: the words stand where the speaker begins, or after the speaker's last word. */
export const namePositions = ['start', 'end'] as const;
export type NamePosition = (typeof namePositions)[number];

export const nameVoices = ['espeak', 'elevenlabs', 'google', 'f5', 'command', 'none'] as const;
export type NameVoice = (typeof nameVoices)[number];

export const lipSyncProviders = ['none', 'viseme', 'wav2lip', 'sync'] as const;
export type LipSyncProviderName = (typeof lipSyncProviders)[number];

/** Pixels added around the face that Wav2Lip finds. */
export type LipSyncPads = [top: number, bottom: number, left: number, right: number];

/** Most spans of one base. */
export const maxSpans = 20;

/** Longest span whose pictures change, in seconds: they lie decoded on a disk meanwhile. */
export const maxMovedSeconds = 30;

/** Modes in which the pictures of a span change. */
export function changesPictures(insertMode: InsertMode): boolean {
  return insertMode === 'diamond' || insertMode === 'platinum';
}

/** Part of the base video whose words are replaced, in seconds of the base as it is played. */
export interface SpanRequest {
  startSeconds: number;
  /** Equal to the start where words are put in and none give way. */
  endSeconds: number;
  /** What is said instead: text with `{column}` for a recipient's own words. */
  text: string;
}

export interface NameVoiceChoice {
  provider: NameVoice;
  /** Provider's name of the voice; null lets it choose by language, or clones `sample`. */
  voiceId: string | null;
  modelId: string | null;
  /** 1 is the voice's own pace. */
  speed: number;
  /** The user's own key for the provider, by its id: the key itself is encrypted in the database. */
  credentialId: string | null;
  /** A recording of the speaker, for providers that clone. */
  sample: ArtifactId | null;
}

export interface PersonalizedOptions {
  insertMode: InsertMode;
  namePosition: NamePosition;
  /** Said in place of each span that has no text of its own: text with `{column}`. */
  text: string;
  /** BCP 47. */
  language: string;
  /** What the base's speaker says, the parts to replace in brackets. */
  transcript: string | null;
  /** Explicit spans, instead of a transcript. */
  spans: SpanRequest[] | null;
  /** Words of the transcript to replace in the order in which they are spoken, each by the column of its name. */
  markers: string[] | null;
  voice: NameVoiceChoice;
  batch: {
    /** Many names in one request, split at silences. */
    enabled: boolean;
    splitSilenceDb: number;
    splitSilenceSeconds: number;
    gapHint: string | null;
  };
  lipSync: {
    provider: LipSyncProviderName;
    /** A recipient whose mouth cannot be moved gets the gold result instead of a failure. */
    fallback: boolean;
    /** For Wav2Lip; absent: its own. */
    pads?: LipSyncPads;
  };
  /** True: at natural speed, so that the span may grow or shrink. False: stretched to the span. */
  naturalSpeed: boolean;
  /** Silence after the new words, in seconds. */
  gapSeconds: number;
  /** Of what counts as silence when spans are found without a transcript: level in dBFS, and length. */
  silence: { db: number; seconds: number };
  /** A base that is no MP4 with H.264 is brought into that form instead of being refused. */
  convert: boolean;
}

/** What each recipient's steps need of the options: small, because every one of them carries it. */
export type RecipientOptions = Pick<
  PersonalizedOptions,
  'insertMode' | 'language' | 'voice' | 'lipSync' | 'naturalSpeed' | 'gapSeconds'
>;

/** Tempo that words may be stretched to, as a share of their natural pace. */
export const stretchLimits = { slowest: 0.7, fastest: 1.3 } as const;

/** Input of the workflow of a batch. Recipients and their words stay in the database. */
export interface PersonalizedBatchInput extends JobRef {
  options: PersonalizedOptions;
  base: ArtifactId;
  /** Those to be made; 0 when a retry only packs what an earlier job delivered. */
  recipientCount: number;
  /** Recipients behind these that an earlier job delivered; absent: none. */
  takenOver?: number;
  /** A run of more events than this goes on as a new one; absent: as many as a history may well have. */
  eventsInOneRun?: number;
  /** What earlier runs of the same batch did; absent in the first. */
  carried?: BatchCarriedOver;
}

/** What a batch takes along when it continues as new. */
export interface BatchCarriedOver {
  prepared: ArtifactId;
  spanCount: number;
  /** Position of the next recipient that was not started. */
  next: number;
  delivered: number;
  failed: number;
  /** The progress as it stood, so that it never goes down. */
  progress: JobProgress;
}

export interface PersonalizedBatchResult {
  delivered: number;
  failed: number;
  bytes: number;
}

/** Input of the workflow of one recipient; its id is `<jobId>-<position>`. */
export interface PersonalizedVideoInput extends JobRef {
  /** Counts from 0, in the file's order. */
  position: number;
  prepared: ArtifactId;
  spanCount: number;
  options: RecipientOptions;
}

export type RecipientOutcome = 'delivered' | 'failed';

export const recipientStatuses = ['pending', 'in_progress', 'completed', 'failed', 'cancelled'] as const;
export type RecipientStatus = (typeof recipientStatuses)[number];

// ---------------------------------------------------------------------------------------------------------
// Documents

/** A base as it came in, in a form that can be spliced. Samples and frames count from the first presented. */
export interface OpenedBase {
  /** When, in seconds of the base, the first sample is heard and the first frame is seen; one of them is 0. */
  soundStartSeconds: number;
  pictureStartSeconds: number;
  /** MP4 with one track of picture and one of AAC-LC, index in front; null for sound alone. */
  video: ArtifactId | null;
  /** The same sound as 16-bit WAV, in its own rate and channels. */
  sound: ArtifactId;
  width: number;
  height: number;
  /** Frames a second. */
  frameRate: { numerator: number; denominator: number };
  frames: number;
  sampleRate: number;
  channels: 1 | 2;
  /** Samples a channel. */
  samples: number;
  /** Bits a second of the base's AAC. */
  audioBitRate: number;
  /** What its user should know, e.g. that the base was converted. */
  message: string | null;
}

/** Where the words of a base are replaced, in order and apart from one another. */
export interface SpansDocument {
  spans: SpanRequest[];
  /** How sure an alignment was, or which way the spans were found. */
  message: string | null;
}

/** An opened base with its spans: what recipients are made from. */
export interface PreparedBase extends Omit<OpenedBase, 'message'> {
  spans: PreparedSpan[];
  /** How the pictures were encoded, so that clips can be encoded alike; null where they were copied. */
  pictureForm: PictureForm | null;
}

/** By ffmpeg's names; null where the file does not say. */
export interface PictureForm {
  range: string | null;
  space: string | null;
  transfer: string | null;
  primaries: string | null;
  /** Width over height of a pixel, as `1:1`. */
  sampleAspect: string | null;
}

/** A span in samples and pictures. */
export interface PlacedSpan {
  startSample: number;
  endSample: number;
  /** Pictures that show during the span: the first, and the one after the last. Each begins a closed group. */
  startFrame: number;
  endFrame: number;
  /** What is said instead, with `{column}` in it. */
  text: string;
}

/** What is heard around a span: new words are made to sound as if they had been said there. Full scale = 1. */
export interface SpanSurroundings {
  /** Mean power of speech in each band of the long-term spectrum; zeros where nobody speaks. */
  speechSpectrum: number[];
  /** Mean power of speech in each channel. */
  speechPowers: number[];
  /** Stretches in which only the room is heard, as samples of the base, from and to. */
  quiet: [number, number][];
  /** Samples of the base on either side that may fade into the span. */
  crossfadeBefore: number;
  crossfadeAfter: number;
  /** Samples behind the span in which nobody speaks. */
  pauseSamples: number;
}

export interface PreparedSpan extends PlacedSpan {
  surroundings: SpanSurroundings;
}

// ---------------------------------------------------------------------------------------------------------
// Activity messages

/** media pool: the base → {@link OpenedBase}. */
export interface OpenBaseInput extends JobRef {
  base: ArtifactId;
  options: PersonalizedOptions;
}
export interface OpenBaseResult extends FromCache {
  opened: ArtifactId;
  message: string | null;
}

/** tts pool: the base's sound → {@link SpansDocument}, by transcript, explicit times or silences. */
export interface FindSpansInput extends JobRef {
  opened: ArtifactId;
  options: PersonalizedOptions;
}
export interface FindSpansResult extends FromCache {
  spans: ArtifactId;
  spanCount: number;
  message: string | null;
}

/** media pool: opened base and spans → {@link PreparedBase}, with keyframes where pictures will change. */
export interface PrepareBaseInput extends JobRef {
  opened: ArtifactId;
  spans: ArtifactId;
  options: PersonalizedOptions;
}
export interface PrepareBaseResult extends FromCache {
  prepared: ArtifactId;
}

/** tts pool: the words of some recipients at once, so that their own requests find them in the cache. */
export interface SpeakBatchInput extends JobRef {
  prepared: ArtifactId;
  options: RecipientOptions & Pick<PersonalizedOptions, 'batch'>;
  from: number;
  /** Exclusive. */
  to: number;
}
export interface SpeakBatchResult extends FromCache {
  spoken: number;
  /** Those that the split did not give and that are spoken singly. */
  singly: number;
}

/** tts pool: one recipient's words, one voice a span → ids of voice documents. */
export interface SpeakRecipientInput extends JobRef {
  position: number;
  prepared: ArtifactId;
  options: RecipientOptions;
}
export interface SpeakRecipientResult extends FromCache {
  voices: ArtifactId[];
}

/** lipsync pool: the pictures of one span with the mouth moved → a clip, all of it to be shown. */
export interface MoveMouthInput extends JobRef {
  position: number;
  prepared: ArtifactId;
  spanIndex: number;
  /** Of all spans: the ones before this one may have moved its time. */
  voices: ArtifactId[];
  options: RecipientOptions;
}
export interface MoveMouthResult extends FromCache {
  /** Null where the mouth was not found and the options allow to go on without. */
  clip: ArtifactId | null;
  message: string | null;
}

/** media pool: base and words (and mouths) → the recipient's file. */
export interface RenderRecipientInput extends JobRef {
  position: number;
  prepared: ArtifactId;
  voices: ArtifactId[];
  /** One a span; null leaves its pictures as they are. */
  clips: (ArtifactId | null)[];
  options: RecipientOptions;
}
export interface RenderRecipientResult extends FromCache {
  file: ArtifactId;
  durationSeconds: number;
  bytes: number;
}

/** orchestration pool: the recipient is being worked on → null, or how it ended when it is over already. */
export interface StartRecipientInput extends JobRef {
  position: number;
}

/** orchestration pool: the result is there and is paid for, or it failed and is not; once → what stands. */
export interface EndRecipientInput extends JobRef {
  position: number;
  outcome:
    | {
        status: 'delivered';
        file: ArtifactId;
        durationSeconds: number;
        bytes: number;
        message: string | null;
      }
    | { status: 'failed'; error: JobError };
}

/** media pool: all delivered files and the report → a ZIP. */
export interface PackageBatchInput extends JobRef {
  insertMode: InsertMode;
}
export interface PackageBatchResult extends FromCache {
  archive: ArtifactId;
  report: ArtifactId;
  delivered: number;
  failed: number;
  bytes: number;
}
