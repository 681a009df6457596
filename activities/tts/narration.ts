import type {
  ArtifactId,
  PhonemeTiming,
  VoiceDocument,
  WordTiming,
} from '../../workflows/contract/documents.js';
import type { VoiceChoice } from '../../workflows/contract/options.js';
import type { VoiceProviderName } from '../../workflows/contract/voices.js';
import type { ArtifactStore } from '../artifacts.js';
import type { GenerationCache } from '../cached.js';
import { type Utterance, splitUtterances } from './utterances.js';
import { type SpeechRequest, type VoiceProvider, voiceRate } from './voice.js';
import { decodeWav, encodeWav } from './wav.js';

/** Raised when sentences are cut or joined differently. */
const narrationVersion = 1;
/** A scene without words still shows, for this long. */
const wordlessSeconds = 2;

export interface TtsDeps {
  artifacts: Pick<ArtifactStore, 'readJson' | 'readBytes' | 'publishBytes' | 'publishJson'>;
  cache: GenerationCache;
  voices: Record<VoiceProviderName, VoiceProvider>;
}

export interface Narration {
  text: string;
  language: string;
  voice: VoiceChoice;
}

interface SpokenArtifact {
  /** JSON of {@link VoiceDocument}. */
  voice: ArtifactId;
  audio: ArtifactId;
  samples: number;
}

/** Speaks a text sentence by sentence, each cached by itself, and joins them with pauses. */
export async function speakNarration(
  deps: TtsDeps,
  { text, language, voice }: Narration,
  signal: AbortSignal,
  report: (fraction: number) => void,
): Promise<{ value: SpokenArtifact; cached: boolean }> {
  const provider = deps.voices[voice.provider];
  const voiceId = provider.resolveVoice({ text, language, voiceId: voice.voiceId });
  const request = { language, voiceId, speed: voice.speed };
  const name = { provider: provider.name, providerVersion: provider.version, ...request };
  return deps.cache.through(
    { activity: 'speak_narration', version: narrationVersion, inputs: { ...name, text } },
    async () => {
      const utterances = splitUtterances(text, language);
      const parts: VoiceDocument[] = [];
      for (const [n, { start, end }] of utterances.entries()) {
        const sentence = { ...request, text: text.slice(start, end) };
        const { value } = await deps.cache.through(
          { activity: 'speak_sentence', version: provider.version, inputs: { ...name, text: sentence.text } },
          () => speakSentence(deps, provider, sentence, signal),
          signal,
        );
        parts.push(await deps.artifacts.readJson<VoiceDocument>(value.voice));
        report((n + 1) / (utterances.length + 1));
      }
      return published(deps, await joined(deps, utterances, parts, voice.speed));
    },
    signal,
  );
}

async function speakSentence(
  deps: TtsDeps,
  provider: VoiceProvider,
  request: SpeechRequest,
  signal: AbortSignal,
) {
  return published(deps, await provider.speak(request, signal));
}

interface Speech {
  pcm: Int16Array;
  words: WordTiming[];
  phonemes: PhonemeTiming[];
}

async function published({ artifacts }: TtsDeps, { pcm, words, phonemes }: Speech) {
  const audio = await artifacts.publishBytes(encodeWav(pcm, voiceRate), 'wav');
  const samples = pcm.length;
  const voice = await artifacts.publishJson({ audio, samples, words, phonemes } satisfies VoiceDocument);
  return { value: { voice, audio, samples }, artifacts: [voice, audio] };
}

/** Places are counted in samples, so that a hundred sentences drift by nothing. */
async function joined(
  { artifacts }: TtsDeps,
  utterances: Utterance[],
  parts: VoiceDocument[],
  speed: number,
): Promise<Speech> {
  const gaps = utterances.map(({ pauseSeconds }) => Math.round((pauseSeconds / speed) * voiceRate));
  const total = parts.reduce((sum, part, n) => sum + part.samples + (gaps[n] ?? 0), 0);
  const speech: Speech = {
    pcm: new Int16Array(parts.length === 0 ? wordlessSeconds * voiceRate : total),
    words: [],
    phonemes: [],
  };
  let at = 0;
  for (const [n, part] of parts.entries()) {
    speech.pcm.set(decodeWav(await artifacts.readBytes(part.audio)), at);
    const seconds = at / voiceRate;
    const offset = utterances[n]?.start ?? 0;
    for (const word of part.words) {
      const { charStart, charEnd } = word;
      speech.words.push({
        ...later(word, seconds),
        charStart: charStart + offset,
        charEnd: charEnd + offset,
      });
    }
    for (const phoneme of part.phonemes) speech.phonemes.push(later(phoneme, seconds));
    at += part.samples + (gaps[n] ?? 0);
  }
  return speech;
}

function later<T extends { startSeconds: number; endSeconds: number }>(timing: T, seconds: number): T {
  return { ...timing, startSeconds: timing.startSeconds + seconds, endSeconds: timing.endSeconds + seconds };
}
