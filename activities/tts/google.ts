import { z } from 'zod';
import { retryDelaySeconds } from '../llm/gemini-errors.js';
import { retryAfterSeconds } from '../retry-after.js';
import { withTimeLimit } from '../time-limit.js';
import { boundedText, jsonOf } from './bounded-answer.js';
import { markedSsml, wordsOfMarks } from './google-ssml.js';
import { finishSpeech, type OutsideSpeechDeps } from './outside-speech.js';
import type { NameVoiceProvider } from './recipients/name-voices.js';
import {
  voiceBadAnswer,
  voiceKeyRefused,
  voiceQuotaExceeded,
  voiceRateLimited,
  voiceRequestRefused,
  voiceUnavailable,
} from './voice-failures.js';

export interface GoogleVoiceOptions extends OutsideSpeechDeps {
  apiKey: string;
  /** Without path, e.g. `https://texttospeech.googleapis.com`. */
  baseUrl: string;
  timeoutMs?: number;
}

const service = {
  name: 'Google Text-to-Speech',
  keyHint: 'the operator has to check GOOGLE_TTS_API_KEY',
};
/** A batch of names in LINEAR16 at 48 kHz, in base64: ten minutes. */
const mostAnswerBytes = 80 * 1024 * 1024;

/** Voices that take plain text only; source: Google's list of voice types. */
const plainVoices = /Chirp|Journey/;

const spoken = z.object({
  audioContent: z.base64().min(1),
  timepoints: z.array(z.object({ markName: z.string(), timeSeconds: z.number().default(0) })).default([]),
});
const refusal = z.object({
  error: z.object({
    status: z.string().optional(),
    message: z.string().optional(),
    details: z.unknown().optional(),
  }),
});

/**
 * Names by Google Cloud Text-to-Speech, words timed by SSML marks where the voice knows them and by alignment where not.
 *
 * Fails with `voice_unknown`, `voice_key_refused`, `voice_quota_exceeded`, `voice_request_refused` (final),
 * `voice_rate_limited`, `voice_unavailable`, `voice_bad_answer` (may be tried again).
 */
export function createGoogleVoice(options: GoogleVoiceOptions): NameVoiceProvider {
  const { apiKey, baseUrl, timeoutMs = 60_000 } = options;

  async function synthesize(body: object, signal: AbortSignal): Promise<z.output<typeof spoken>> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(new URL('/v1beta1/text:synthesize', baseUrl), {
        method: 'POST',
        redirect: 'error',
        // In a header, because addresses are logged along the way.
        headers: { 'x-goog-api-key': apiKey, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: withTimeLimit(signal, timeoutMs),
      });
      text = await boundedText(response, mostAnswerBytes);
    } catch {
      signal.throwIfAborted();
      // What fetch says holds addresses.
      throw voiceUnavailable(service);
    }
    if (!response.ok) throw failureOf(response, jsonOf(text));
    const parsed = spoken.safeParse(jsonOf(text));
    if (parsed.success) return parsed.data;
    throw voiceBadAnswer(service);
  }

  return {
    name: 'google',
    version: 1,
    ready({ choice, language: asked }) {
      const name = choice.voiceId;
      // A voice speaks its own language, which stands in its name: en-GB-Neural2-A.
      const languageCode = /^([a-z]{2,3}-[A-Z]{2})-/.exec(name ?? '')?.[1] ?? asked;
      const isPlain = plainVoices.test(name ?? '');
      return Promise.resolve({
        voiceId: name ?? 'default',
        async speak({ text, language, speed }, signal) {
          const answer = await synthesize(
            {
              input: isPlain ? { text } : { ssml: markedSsml(text, language) },
              voice: { languageCode, ...(name === null ? {} : { name }) },
              audioConfig: { audioEncoding: 'LINEAR16', speakingRate: speed },
              ...(isPlain ? {} : { enableTimePointing: ['SSML_MARK'] }),
            },
            signal,
          );
          const file = { bytes: Buffer.from(answer.audioContent, 'base64'), extension: 'wav' as const };
          const words = wordsOfMarks(text, language, answer.timepoints);
          return finishSpeech(options, service, file, { text, language, words }, signal);
        },
      });
    },
  };
}

function failureOf(response: Response, body: unknown) {
  const { status } = response;
  const said = refusal.safeParse(body).data?.error;
  if (status === 429) {
    const delay = retryDelaySeconds(said?.details) ?? retryAfterSeconds(response.headers.get('retry-after'));
    // A day's quota is not there again in ten attempts.
    return /per day/i.test(said?.message ?? '')
      ? voiceQuotaExceeded(service)
      : voiceRateLimited(service, delay);
  }
  if (status === 408 || status >= 500) return voiceUnavailable(service, status);
  if (status === 401 || status === 403 || /API[ _]key/i.test(said?.message ?? ''))
    return voiceKeyRefused(service);
  const word = /^[A-Z_]{1,40}$/.test(said?.status ?? '') ? said?.status : undefined;
  return voiceRequestRefused(service, status, word);
}
