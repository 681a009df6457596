import type { NameVoice, NameVoiceChoice } from '../../../workflows/contract/personalized.js';
import { invalidInput } from '../../failures.js';
import type { SpeechRequest, SpokenText, VoiceProvider } from '../voice.js';

/** Who asks, and for which text. */
export interface NameVoiceRequest {
  userId: string;
  choice: NameVoiceChoice;
  /** BCP 47. */
  language: string;
  /** Of the words: a provider may choose its voice by their script. */
  text: string;
}

/** A voice that is ready to speak: found, or cloned. */
export interface ReadyVoice {
  /** Names the voice for the cache: the same name says the same text in the same way, whoever asks. */
  voiceId: string;
  /** @throws ApplicationFailure, transient when another try may help. */
  speak(
    request: Pick<SpeechRequest, 'text' | 'language' | 'speed'>,
    signal: AbortSignal,
  ): Promise<SpokenText>;
}

/** One adapter to one system that says names. */
export interface NameVoiceProvider {
  name: NameVoice;
  /** Raised when the same request would sound or be timed differently. */
  version: number;
  /**
   * @throws ApplicationFailure, non-retryable, when there is no such voice, no key, or none for the language.
   */
  ready(request: NameVoiceRequest, signal: AbortSignal): Promise<ReadyVoice>;
}

/** A built-in voice among those that say names. */
export function builtInNameVoice(voice: VoiceProvider): NameVoiceProvider {
  return {
    name: voice.name,
    version: voice.version,
    ready({ choice, language, text }) {
      const voiceId = voice.resolveVoice({ text, language, voiceId: choice.voiceId });
      return Promise.resolve({
        voiceId,
        speak: (request, signal) => voice.speak({ ...request, voiceId }, signal),
      });
    },
  };
}

export function nameVoiceOf(
  voices: Partial<Record<NameVoice, NameVoiceProvider>>,
  name: NameVoice,
): NameVoiceProvider {
  const voice = voices[name];
  if (voice !== undefined) return voice;
  throw invalidInput({ code: 'voice_not_configured', detail: `The voice ${name} is not configured here.` });
}
