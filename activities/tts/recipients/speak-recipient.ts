import type { RecipientRow } from '../../../db/recipients.js';
import type { ArtifactId, VoiceDocument } from '../../../workflows/contract/documents.js';
import type {
  NameVoice,
  PreparedBase,
  SpeakRecipientInput,
  SpeakRecipientResult,
} from '../../../workflows/contract/personalized.js';
import type { ArtifactStore } from '../../artifacts.js';
import type { CacheName, GenerationCache } from '../../cached.js';
import { invalidInput } from '../../failures.js';
import { withHeartbeat } from '../../heartbeat.js';
import { voiceRate, type SpokenText } from '../voice.js';
import { encodeWav } from '../wav.js';
import { fillText } from './fill-text.js';
import { nameVoiceOf, type NameVoiceProvider, type NameVoiceRequest } from './name-voices.js';

export interface RecipientSpeechDeps {
  artifacts: Pick<ArtifactStore, 'readJson' | 'publishBytes' | 'publishJson'>;
  cache: GenerationCache;
  nameVoices: Partial<Record<NameVoice, NameVoiceProvider>>;
  readRecipient(jobId: string, position: number): Promise<RecipientRow | undefined>;
  /** Notes whose names the cache's entry has said, so that they can clear it. */
  noteNameUse(userId: string, name: CacheName): Promise<void>;
}

/** Name of the cache's entries, which its user can clear. */
export const nameAudioActivity = 'speak_name';
/** Raised when the same words come out otherwise. */
export const nameAudioVersion = 1;

/** A span without new words: the room alone is heard. */
const silence: SpokenText = { pcm: new Int16Array(0), words: [], phonemes: [] };

/**
 * Says one recipient's words, one voice a span. What a voice has said before is not said again, whoever asked.
 * @throws ApplicationFailure `recipient_missing`, `unknown_column`, `nothing_to_say`, and as the provider
 */
export function createSpeakRecipient(deps: RecipientSpeechDeps) {
  return async function speakRecipient(input: SpeakRecipientInput): Promise<SpeakRecipientResult> {
    return withHeartbeat('recipients', input.position, async ({ signal }) => {
      const { jobId, userId, position, options } = input;
      const { spans } = await deps.artifacts.readJson<PreparedBase>(input.prepared);
      const recipient = await deps.readRecipient(jobId, position);
      if (recipient === undefined) {
        throw invalidInput({ code: 'recipient_missing', detail: 'The recipient is no longer there.' });
      }
      const { voice: choice, language } = options;
      const spoken = [];
      // One after another: what several spans say alike is asked for once.
      for (const span of spans) {
        const text = choice.provider === 'none' ? '' : fillText(span.text, recipient.fields);
        spoken.push(await speakWords(deps, { userId, choice, language, text }, signal));
      }
      return {
        voices: spoken.map(({ value }) => value.voice),
        cached: spoken.every(({ cached }) => cached),
      };
    });
  };
}

/** The words as a voice document, from the cache where they were said before. */
export async function speakWords(
  deps: Pick<RecipientSpeechDeps, 'artifacts' | 'cache' | 'nameVoices' | 'noteNameUse'>,
  request: NameVoiceRequest,
  signal: AbortSignal,
): Promise<{ value: { voice: ArtifactId }; cached: boolean }> {
  const { userId, choice, language, text } = request;
  if (choice.provider === 'none') return { ...(await publishSpeech(deps, silence)), cached: true };
  const provider = nameVoiceOf(deps.nameVoices, choice.provider);
  const ready = await provider.ready(request, signal);
  const { modelId, speed } = choice;
  const name = nameAudio(provider, { voiceId: ready.voiceId, modelId, text, language, speed });
  const spoken = await deps.cache.through(
    name,
    async () => publishSpeech(deps, await ready.speak({ text, language, speed }, signal)),
    signal,
  );
  await deps.noteNameUse(userId, name);
  return spoken;
}

/** What names a spoken text: whoever says the same with the same voice gets the same sound. */
export function nameAudio(
  provider: Pick<NameVoiceProvider, 'name' | 'version'>,
  said: { voiceId: string; modelId: string | null; text: string; language: string; speed: number },
) {
  const inputs = { provider: provider.name, providerVersion: provider.version, ...said };
  return { activity: nameAudioActivity, version: nameAudioVersion, inputs };
}

export async function publishSpeech(
  { artifacts }: Pick<RecipientSpeechDeps, 'artifacts'>,
  { pcm, words, phonemes }: SpokenText,
) {
  const audio = await artifacts.publishBytes(encodeWav(pcm, voiceRate), 'wav');
  const document: VoiceDocument = { audio, samples: pcm.length, words, phonemes };
  const voice = await artifacts.publishJson(document);
  return { value: { voice }, artifacts: [voice, audio] };
}
