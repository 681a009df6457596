import type { PhonemeTiming, WordTiming } from '../../workflows/contract/documents.js';
import type { VoiceProviderName } from '../../workflows/contract/voices.js';

/** Sample rate of everything that a voice hands on, Hz. */
export const voiceRate = 48_000;

export interface SpeechRequest {
  /** One sentence or so, plain text: nothing in it is markup. */
  text: string;
  /** BCP 47. */
  language: string;
  /** Provider's voice; null lets the provider choose by language. */
  voiceId: string | null;
  /** 0.5–2, 1 is the voice's own pace. */
  speed: number;
}

/** Speech without silence around it. Every visible word of the text has one timing, in order. */
export interface SpokenText {
  /** Mono, 16 bit, 48 kHz. */
  pcm: Int16Array;
  words: WordTiming[];
  phonemes: PhonemeTiming[];
}

/** One adapter to one system that speaks. */
export interface VoiceProvider {
  name: VoiceProviderName;
  /** Raised when the same request would sound or be timed differently. */
  version: number;
  /**
   * The voice that a request without one gets, so that a cache can name it.
   * @throws ApplicationFailure, non-retryable, when there is no such voice or none for the language.
   */
  resolveVoice(request: Pick<SpeechRequest, 'text' | 'language' | 'voiceId'>): string;
  /** @throws ApplicationFailure, transient when another try may help. */
  speak(request: SpeechRequest, signal: AbortSignal): Promise<SpokenText>;
}
