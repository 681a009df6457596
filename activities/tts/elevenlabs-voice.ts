import { createHash } from 'node:crypto';
import type { ArtifactId } from '../../workflows/contract/documents.js';
import type { CacheName } from '../cached.js';
import { invalidInput, transientFailure } from '../failures.js';
import {
  cloneWithElevenLabs,
  type ElevenLabsAccount,
  type ElevenLabsRequest,
  speakWithElevenLabs,
} from './elevenlabs.js';
import { wordsOfCharacters } from './elevenlabs-words.js';
import { finishSpeech, type OutsideSpeechDeps } from './outside-speech.js';
import type { NameVoiceProvider, NameVoiceRequest } from './recipients/name-voices.js';
import type { OpenCredential } from './own-keys.js';
import type { VoiceClones } from './voice-clones.js';

export interface ElevenLabsOptions extends OutsideSpeechDeps {
  /** The operator's; without it only users with keys of their own are served. */
  apiKey: string | undefined;
  /** Without path, e.g. `https://api.elevenlabs.io`. */
  baseUrl: string;
  /** For requests that name none. */
  modelId: string;
  clones: VoiceClones;
  /** The user's own key; undefined when it is gone. */
  openCredential: OpenCredential;
  /** Path of a sample on this host. */
  fetchSample(id: ArtifactId): Promise<string>;
  timeoutMs?: number;
}

const own = { name: 'ElevenLabs', keyHint: 'check elevenlabsApiKey' };
const operators = { name: 'ElevenLabs', keyHint: 'the operator has to check ELEVENLABS_API_KEY' };

/**
 * Names by ElevenLabs: in a voice of the account, or in one cloned from a sample, once an account and sample.
 *
 * Fails with `voice_not_configured`, `credential_missing`, `voice_sample_missing`, `voice_needs_verification`,
 * `voice_limit_reached`, `voice_key_refused`, `voice_quota_exceeded`, `voice_unknown`, `voice_text_too_long`,
 * `voice_request_refused` (final), `voice_rate_limited`, `voice_unavailable`, `voice_bad_answer`, `voice_clone_gone`,
 * `credential_unreadable` (may be tried again).
 */
export function createElevenLabsVoice(options: ElevenLabsOptions): NameVoiceProvider {
  const { baseUrl, timeoutMs = 120_000 } = options;

  async function accountOf({ choice, userId }: NameVoiceRequest): Promise<ElevenLabsAccount> {
    if (choice.credentialId === null) {
      if (options.apiKey !== undefined)
        return { apiKey: options.apiKey, baseUrl, timeoutMs, service: operators };
      throw invalidInput({ code: 'voice_not_configured', detail: 'ElevenLabs is not configured here.' });
    }
    const apiKey = await options.openCredential(choice.credentialId, userId);
    if (apiKey !== undefined) return { apiKey, baseUrl, timeoutMs, service: own };
    throw invalidInput({
      code: 'credential_missing',
      detail: 'The ElevenLabs key of this job is no longer there; start it anew with the key.',
    });
  }

  async function clone(account: ElevenLabsAccount, sample: ArtifactId, signal: AbortSignal): Promise<string> {
    const { voiceId, requiresVerification } = await options.clones.through(
      cloneName(account, sample),
      async () => {
        const path = await options.fetchSample(sample);
        return cloneWithElevenLabs(account, { path, name: `callsheet-${sample.slice(0, 16)}` }, signal);
      },
    );
    if (!requiresVerification) return voiceId;
    throw invalidInput({
      code: 'voice_needs_verification',
      detail: `ElevenLabs wants the cloned voice verified; do that in its account, then give elevenlabsVoiceId "${voiceId}".`,
    });
  }

  return {
    name: 'elevenlabs',
    version: 1,
    async ready(request, signal) {
      const { choice } = request;
      const account = await accountOf(request);
      const { sample } = choice;
      if (choice.voiceId === null && sample === null) {
        throw invalidInput({
          code: 'voice_sample_missing',
          detail: 'ElevenLabs needs a voice id, or a sample to clone.',
        });
      }
      const cloned = choice.voiceId === null && sample !== null ? cloneName(account, sample) : undefined;
      const voiceId = choice.voiceId ?? (sample === null ? '' : await clone(account, sample, signal));
      const modelId = choice.modelId ?? options.modelId;
      return {
        // Voices are the account's own: who has another key hears nothing of them.
        voiceId: `${voiceId}@${modelId}@${accountHash(account)}`,
        async speak({ text, language, speed }, speaking) {
          const asked = { text, modelId, languageCode: languageCode(modelId, language), speed };
          const { mp3, times } = await said(account, voiceId, asked, cloned, speaking);
          const words = times && wordsOfCharacters(text, language, times);
          const file = { bytes: mp3, extension: 'mp3' as const };
          return finishSpeech(options, account.service, file, { text, language, words }, speaking);
        },
      };
    },
  };

  async function said(
    account: ElevenLabsAccount,
    voiceId: string,
    request: ElevenLabsRequest,
    cloned: CacheName | undefined,
    signal: AbortSignal,
  ) {
    try {
      return await speakWithElevenLabs(account, voiceId, request, signal);
    } catch (error) {
      signal.throwIfAborted();
      const isGone = error instanceof Error && 'type' in error && error.type === 'voice_unknown';
      if (cloned === undefined || !isGone) throw error;
      // Somebody removed it there. The next attempt makes it again.
      await options.clones.forget(cloned);
      throw transientFailure({
        code: 'voice_clone_gone',
        detail: 'The cloned voice is no longer at ElevenLabs; it is made again.',
      });
    }
  }
}

/** A sample's id is its sha256, and an account is known by its key's hash. */
function cloneName(account: ElevenLabsAccount, sample: ArtifactId): CacheName {
  return {
    activity: 'clone_voice',
    version: 1,
    inputs: { provider: 'elevenlabs', account: accountHash(account), sample },
  };
}

function accountHash({ apiKey, baseUrl }: ElevenLabsAccount): string {
  return createHash('sha256').update(`elevenlabs\n${baseUrl}\n${apiKey}`).digest('hex');
}

/** Other models refuse a request that names a language. */
function languageCode(modelId: string, language: string): string | undefined {
  if (!/_v2_5$|_v3$/.test(modelId)) return undefined;
  const [primary = ''] = language.toLowerCase().split('-');
  return /^[a-z]{2}$/.test(primary) ? primary : undefined;
}
