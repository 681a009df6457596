import { z } from 'zod';
import { invalidInput } from '../failures.js';
import {
  voiceKeyRefused,
  voiceQuotaExceeded,
  voiceRateLimited,
  voiceRequestRefused,
  type VoiceService,
  voiceTextTooLong,
  voiceUnavailable,
  voiceUnknown,
} from './voice-failures.js';

const refusal = z.object({ detail: z.object({ status: z.string() }) });
/** The form of 422: which member of the request it did not like. */
const invalid = z.object({ detail: z.array(z.object({ loc: z.array(z.union([z.string(), z.number()])) })) });

export interface ElevenLabsAnswer {
  status: number;
  body: unknown;
  retryAfterSeconds: number | undefined;
}

/** An answer of ElevenLabs that is no success, by its status word first and its HTTP status second. */
export function elevenLabsFailure(
  service: VoiceService,
  { status, body, retryAfterSeconds }: ElevenLabsAnswer,
) {
  const word = refusal.safeParse(body).data?.detail.status;
  switch (word) {
    case 'quota_exceeded':
      return voiceQuotaExceeded(service);
    case 'invalid_api_key':
    case 'missing_permissions':
    case 'needs_authorization':
      return voiceKeyRefused(service);
    case 'voice_not_found':
    case 'voice_does_not_exist':
      return voiceUnknown(service);
    case 'max_character_limit_exceeded':
      return voiceTextTooLong(service);
    case 'voice_limit_reached':
      return invalidInput({
        code: 'voice_limit_reached',
        detail: 'The account at ElevenLabs has no room for another cloned voice; remove one there.',
      });
    default:
      break;
  }
  if (status === 429) return voiceRateLimited(service, retryAfterSeconds);
  if (status === 408 || status >= 500) return voiceUnavailable(service, status);
  if (status === 401 || status === 403) return voiceKeyRefused(service);
  return voiceRequestRefused(service, status, refusedMember(body) ?? plainWord(word));
}

function refusedMember(body: unknown): string | undefined {
  const member = invalid.safeParse(body).data?.detail[0]?.loc.at(-1);
  return plainWord(member?.toString());
}

/** One word of theirs may be shown, a sentence not: it may repeat what was sent. */
const plainWord = (word: string | undefined) =>
  word !== undefined && /^[A-Za-z0-9_]{1,60}$/.test(word) ? word : undefined;
