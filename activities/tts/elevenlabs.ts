import { openAsBlob } from 'node:fs';
import { ElevenLabsClient, ElevenLabsError } from 'elevenlabs';
import { z } from 'zod';
import { retryAfterSeconds } from '../retry-after.js';
import { withTimeLimit } from '../time-limit.js';
import { elevenLabsFailure } from './elevenlabs-failures.js';
import { withResponseHeaders } from './response-headers.js';
import { voiceBadAnswer, type VoiceService, voiceUnavailable } from './voice-failures.js';

export interface ElevenLabsAccount {
  apiKey: string;
  /** Without path, e.g. `https://api.elevenlabs.io`. */
  baseUrl: string;
  /** Longest wait for one answer. */
  timeoutMs: number;
  /** Whose key it is, for what is said when it is refused. */
  service: VoiceService;
}

export interface ElevenLabsRequest {
  text: string;
  modelId: string;
  /** ISO 639-1, for the models that take it. */
  languageCode: string | undefined;
  /** 0.7–1.2. */
  speed: number;
}

/** When each character of the text is said; undefined where ElevenLabs does not know. */
export interface CharacterTimes {
  characters: string[];
  startSeconds: number[];
  endSeconds: number[];
}

const spoken = z.object({
  audio_base64: z.base64().min(1),
  alignment: z
    .object({
      characters: z.array(z.string()),
      character_start_times_seconds: z.array(z.number()),
      character_end_times_seconds: z.array(z.number()),
    })
    .nullish(),
});
const cloned = z.object({
  voice_id: z.string().regex(/^[A-Za-z0-9_-]{1,100}$/),
  requires_verification: z.boolean().default(false),
});

/**
 * Speaks a text. The only file that knows the package `elevenlabs`; the key travels in a header only.
 * @returns MP3, 44.1 kHz, 128 kbit/s, and the characters' times
 * @throws ApplicationFailure as {@link elevenLabsFailure}, `voice_unavailable`, `voice_bad_answer`
 */
export async function speakWithElevenLabs(
  account: ElevenLabsAccount,
  voiceId: string,
  { text, modelId, languageCode, speed }: ElevenLabsRequest,
  signal: AbortSignal,
): Promise<{ mp3: Buffer; times: CharacterTimes | undefined }> {
  const answer = await ask(account, signal, (client, options) =>
    client.textToSpeech.convertWithTimestamps(
      voiceId,
      {
        text,
        model_id: modelId,
        output_format: 'mp3_44100_128',
        ...(languageCode === undefined ? {} : { language_code: languageCode }),
        // Settings that are sent replace those of the voice, so that they are sent only where they are wanted.
        ...(speed === 1 ? {} : { voice_settings: { speed } }),
      },
      options,
    ),
  );
  const parsed = spoken.safeParse(answer);
  if (!parsed.success) throw voiceBadAnswer(account.service);
  const { audio_base64, alignment } = parsed.data;
  return {
    mp3: Buffer.from(audio_base64, 'base64'),
    times: alignment
      ? {
          characters: alignment.characters,
          startSeconds: alignment.character_start_times_seconds,
          endSeconds: alignment.character_end_times_seconds,
        }
      : undefined,
  };
}

/**
 * Makes a voice of a recording. ElevenLabs knows no idempotency key: keep what comes back at once.
 * @throws ApplicationFailure as {@link speakWithElevenLabs}, `voice_limit_reached`
 */
export async function cloneWithElevenLabs(
  account: ElevenLabsAccount,
  sample: { path: string; name: string },
  signal: AbortSignal,
): Promise<{ voiceId: string; requiresVerification: boolean }> {
  const file = new File([await openAsBlob(sample.path)], 'sample');
  const answer = await ask(account, signal, (client, options) =>
    client.voices.add({ name: sample.name, files: [file], remove_background_noise: false }, options),
  );
  const parsed = cloned.safeParse(answer);
  if (!parsed.success) throw voiceBadAnswer(account.service);
  return { voiceId: parsed.data.voice_id, requiresVerification: parsed.data.requires_verification };
}

interface RequestOptions {
  maxRetries: number;
  abortSignal: AbortSignal;
  timeoutInSeconds: number;
  headers: Record<string, string>;
}

async function ask(
  { apiKey, baseUrl, timeoutMs, service }: ElevenLabsAccount,
  signal: AbortSignal,
  call: (client: ElevenLabsClient, options: RequestOptions) => Promise<unknown>,
): Promise<unknown> {
  const client = new ElevenLabsClient({ apiKey, baseUrl });
  // The package's own bound ends with the answer's headers, and its retries are the engine's work.
  const abortSignal = withTimeLimit(signal, timeoutMs);
  return withResponseHeaders(async (headers, header) => {
    try {
      return await call(client, { maxRetries: 0, abortSignal, timeoutInSeconds: timeoutMs / 1000, headers });
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ElevenLabsError && error.statusCode !== undefined) {
        const { statusCode: status, body } = error;
        const delay = retryAfterSeconds(header('retry-after'));
        throw elevenLabsFailure(service, { status, body, retryAfterSeconds: delay });
      }
      throw voiceUnavailable(service);
    }
  });
}
