import type { PhonemeTiming, WordTiming } from '../../workflows/contract/documents.js';
import type { LipSyncPads } from '../../workflows/contract/personalized.js';

export type LipSyncProviderName = 'none' | 'viseme' | 'wav2lip' | 'sync';

/**
 * Decoded frames of one span, a headerless file: frame after frame, each planar 4:2:0, 8 bits, luma, blue and red
 * difference (ffmpeg's `-f rawvideo -pix_fmt yuv420p`). Nothing is encoded twice on the way: the caller decodes just
 * the span, and encodes what comes back once.
 */
export interface RawClip {
  path: string;
  /** Pixels, both even. */
  width: number;
  height: number;
  frames: number;
  /** Frames a second as a fraction, e.g. 30000/1001. */
  frameRate: { numerator: number; denominator: number };
}

/** What is said, as well as it is known: phonemes are best, words will do, without both the sound alone leads. */
export interface SpeechTimes {
  phonemes: readonly PhonemeTiming[];
  words: readonly WordTiming[];
  /** BCP 47, of the words. */
  language: string;
}

export interface LipSyncRequest {
  /**
   * The business id of this span, e.g. `jobId:step:item`: the same for every attempt. Outside systems are asked
   * under it, so that a second attempt is not a second order.
   */
  id: string;
  clip: RawClip;
  /** Mono, 16 bit, 48 kHz; its first sample is heard when the clip's first frame appears. */
  pcm: Int16Array;
  /** Seconds from the first frame. */
  speech: SpeechTimes;
  /** Where the frames go, in the clip's own form; must not be the clip's file. */
  outPath: string;
  /** An existing folder for files on the way; the caller removes it. */
  scratchDir: string;
  pads?: Readonly<LipSyncPads> | undefined;
}

export interface LipSyncHooks {
  signal: AbortSignal;
  /** How far the work is, 0–1. */
  report?: ((fraction: number) => void) | undefined;
  /**
   * Reference of an order at an outside system, which an attempt before this one left behind. Without it the
   * order is placed.
   */
  resumeFrom?: string | undefined;
  /** Keeps such a reference where a successor of this attempt finds it, e.g. in the heartbeat's details. */
  keepReference?: ((reference: string) => void) | undefined;
}

export interface LipSyncResult {
  /** As many frames, of the same size and rate, as came in. */
  clip: RawClip;
  /** Frames that differ from the original. */
  changedFrames: number;
}

/** One way to make a mouth say something else. */
export interface LipSyncProvider {
  name: LipSyncProviderName;
  /** Raised when the same request would look different. */
  version: number;
  /**
   * @throws ApplicationFailure `lip_sync_no_face` (non-retryable) where no face is found, other types by provider;
   *   the signal's reason on abort.
   */
  moveMouth(request: LipSyncRequest, hooks: LipSyncHooks): Promise<LipSyncResult>;
}

/** Bytes of one frame of a clip. */
export const clipFrameBytes = ({ width, height }: Pick<RawClip, 'width' | 'height'>): number =>
  (width * height * 3) / 2;

/** Seconds that one frame is shown. */
export const frameSeconds = ({ frameRate }: Pick<RawClip, 'frameRate'>): number =>
  frameRate.denominator / frameRate.numerator;
