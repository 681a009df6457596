import { openAsBlob } from 'node:fs';
import type { ArtifactId } from '../../workflows/contract/documents.js';
import { canonicalHash } from '../canonical-hash.js';
import { invalidInput } from '../failures.js';
import { f5Service, speakWithF5 } from './f5-app.js';
import { finishSpeech, type OutsideSpeechDeps } from './outside-speech.js';
import type { NameVoiceProvider } from './recipients/name-voices.js';

/** As characters have them. */
export interface F5Settings {
  removeSilences: boolean;
  /** Seconds, between the pieces that a long text is said in. */
  crossFadeDuration: number;
  /** Steps of the flow's solver: more is slower and cleaner. */
  nfeSteps: number;
}

export interface F5VoiceOptions extends OutsideSpeechDeps {
  /** Of the Gradio app, e.g. `http://gpu-host:7860`. */
  url: string;
  settings?: F5Settings;
  /** Path of a sample on this host. */
  fetchSample(id: ArtifactId): Promise<string>;
  timeoutMs?: number;
}

const usual: F5Settings = { removeSilences: false, crossFadeDuration: 0.15, nfeSteps: 32 };

/**
 * Names by a self-hosted F5-TTS, which speaks like a sample without keeping a voice. The seed is fixed, so that a text
 * sounds the same whenever it is said. Words are found by alignment.
 *
 * Fails with `voice_sample_missing`, `voice_unknown`, `voice_app_differs` (final), `voice_unavailable`,
 * `voice_bad_answer` (may be tried again).
 */
export function createF5Voice(options: F5VoiceOptions): NameVoiceProvider {
  const { url, settings = usual, timeoutMs = 240_000 } = options;
  return {
    name: 'f5',
    version: 1,
    ready({ choice }) {
      const { sample, voiceId } = choice;
      if (voiceId !== null) {
        throw invalidInput({
          code: 'voice_unknown',
          detail: 'F5-TTS keeps no voices; give a sample and no voice id.',
        });
      }
      if (sample === null) {
        throw invalidInput({ code: 'voice_sample_missing', detail: 'F5-TTS needs a sample to speak like.' });
      }
      return Promise.resolve({
        voiceId: canonicalHash({ sample, settings, url }),
        async speak({ text, language, speed }, signal) {
          const extension = sample.slice(sample.lastIndexOf('.') + 1);
          const blob = await openAsBlob(await options.fetchSample(sample));
          const bytes = await speakWithF5(
            { url, timeoutMs },
            {
              ref_audio_input: new File([blob], `sample.${extension}`),
              ref_text_input: '',
              gen_text_input: text,
              remove_silence: settings.removeSilences,
              randomize_seed: false,
              seed_input: 0,
              cross_fade_duration_slider: settings.crossFadeDuration,
              nfe_slider: settings.nfeSteps,
              speed_slider: speed,
            },
            signal,
          );
          const file = { bytes, extension: 'wav' as const };
          return finishSpeech(options, f5Service, file, { text, language, words: undefined }, signal);
        },
      });
    },
  };
}
