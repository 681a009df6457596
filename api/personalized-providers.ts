import { espeakVoiceFor, espeakVoices } from '../workflows/contract/voices.js';
import { checkPads } from './lip-sync-pads.js';
import type { OfferedProviders } from './offered-providers.js';
import { voiceIdOf, type PersonalizedFields } from './personalized-request.js';
import { refuseField } from './validation.js';

const knownVoices: ReadonlySet<string> = new Set(espeakVoices);

/**
 * Refuses what no recipient could be served with, with the path of what is wrong.
 * @throws ProblemError `validation_failed`
 */
export function checkProviders(
  body: PersonalizedFields,
  given: { hasSample: boolean; credentialId: string | null; offered: OfferedProviders },
): void {
  const { ttsProvider, lipSyncProvider } = body;
  const bringsKey = ttsProvider === 'elevenlabs' && given.credentialId !== null;
  if (!bringsKey && !given.offered.voices.has(ttsProvider)) {
    throw refuseField('body.ttsProvider', 'is not configured here');
  }
  checkVoice(body, given.hasSample);
  // A transcript is found in the base with the help of that voice, whoever says the names.
  const needsVoice =
    body.transcript !== undefined || (ttsProvider === 'espeak' && voiceIdOf(body) === undefined);
  if (needsVoice && espeakVoiceFor(body.lang) === undefined) {
    throw refuseField('body.lang', 'is a language that no built-in voice speaks');
  }
  if (lipSyncProvider !== undefined && !given.offered.lipSync.has(lipSyncProvider)) {
    throw refuseField('body.lipSyncProvider', 'is not configured here');
  }
  checkPads(lipSyncProvider, body.pads);
}

function checkVoice(body: PersonalizedFields, hasSample: boolean): void {
  const voiceId = voiceIdOf(body);
  switch (body.ttsProvider) {
    case 'espeak':
      if (voiceId === undefined || knownVoices.has(voiceId)) return;
      throw refuseField('body.voiceId', 'is not a voice of this provider, such as en-us, en-gb+f2 or hi');
    case 'f5':
    case 'command':
      if (voiceId !== undefined)
        throw refuseField('body.voiceId', 'is for providers that have several voices');
      if (body.ttsProvider === 'f5' && !hasSample) throw needsSample('for this provider');
      return;
    case 'elevenlabs':
      if (voiceId === undefined && !hasSample) throw needsSample('for this provider without a voice id');
      return;
    case 'google':
    case 'none':
      return;
  }
}

const needsSample = (when: string) => refuseField('body.voiceSample', `is required ${when}`);
