import { invalidInput, transientFailure } from '../failures.js';

/**
 * What can go wrong with an outside voice, in the words of its user. A vendor's own words are not repeated: they may
 * hold keys, addresses or anything else.
 */
export interface VoiceService {
  /** As users know it. */
  name: string;
  /** Where to look when the key is refused. */
  keyHint: string;
}

export function voiceUnavailable({ name }: VoiceService, status?: number) {
  return transientFailure({
    code: 'voice_unavailable',
    detail:
      status === undefined
        ? `${name} could not be reached, or did not answer in time.`
        : `${name} answered ${status}: it is out of order for now.`,
  });
}

export function voiceRateLimited({ name }: VoiceService, retryAfterSeconds?: number) {
  return transientFailure({
    code: 'voice_rate_limited',
    detail: `${name} answered 429: too many requests for this key.`,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

/** Another try may get a whole answer. */
export function voiceBadAnswer({ name }: VoiceService, cause?: unknown) {
  return transientFailure({
    code: 'voice_bad_answer',
    detail: `${name} answered with something other than speech.`,
    cause,
  });
}

export function voiceKeyRefused({ name, keyHint }: VoiceService) {
  return invalidInput({ code: 'voice_key_refused', detail: `${name} did not accept the key: ${keyHint}.` });
}

export function voiceQuotaExceeded({ name }: VoiceService) {
  return invalidInput({
    code: 'voice_quota_exceeded',
    detail: `The account at ${name} has no characters left.`,
  });
}

export function voiceUnknown({ name }: VoiceService) {
  return invalidInput({ code: 'voice_unknown', detail: `${name} has no such voice for this account.` });
}

export function voiceTextTooLong({ name }: VoiceService) {
  return invalidInput({
    code: 'voice_text_too_long',
    detail: `The text is longer than ${name} takes at once.`,
  });
}

/** @param about a word or two of what it did not like, already known to be harmless. */
export function voiceRequestRefused({ name }: VoiceService, status: number, about?: string) {
  return invalidInput({
    code: 'voice_request_refused',
    detail: `${name} answered ${status}: it did not take the request${about === undefined ? '' : ` (${about})`}.`,
  });
}
