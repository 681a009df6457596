import type { ArtifactStore } from '../activities/artifacts.js';
import type { FfmpegTools } from '../activities/media/ffmpeg/run.js';
import { createCommandVoice } from '../activities/tts/command-voice.js';
import { createElevenLabsVoice } from '../activities/tts/elevenlabs-voice.js';
import { createF5Voice } from '../activities/tts/f5.js';
import { createGoogleVoice } from '../activities/tts/google.js';
import { createOwnKeys } from '../activities/tts/own-keys.js';
import { builtInNameVoice, type NameVoiceProvider } from '../activities/tts/recipients/name-voices.js';
import type { VoiceProvider } from '../activities/tts/voice.js';
import { createVoiceClones } from '../activities/tts/voice-clones.js';
import type { Config } from '../config.js';
import { createSecretBoxOpener } from '../db/credentials-key.js';
import type { Db } from '../db/database.js';
import type { NameVoice } from '../workflows/contract/personalized.js';

export interface NameVoiceParts {
  config: Pick<Config, 'elevenlabs' | 'google' | 'f5' | 'ttsCommand' | 'credentials'>;
  db: Db;
  artifacts: Pick<ArtifactStore, 'fetch'>;
  espeak: VoiceProvider;
  tools: FfmpegTools;
  scratchDir: string;
}

/** The voices that say names: what is built in, what is configured, and ElevenLabs for who brings a key. */
export function createNameVoices(parts: NameVoiceParts): Partial<Record<NameVoice, NameVoiceProvider>> {
  const { config, db, artifacts, espeak, tools, scratchDir } = parts;
  const { google, f5, ttsCommand: template } = config;
  const outside = { tools, scratchDir, reference: espeak };
  const fetchSample = (id: string) => artifacts.fetch(id);
  return {
    espeak: builtInNameVoice(espeak),
    elevenlabs: createElevenLabsVoice({
      ...{ ...outside, ...config.elevenlabs, fetchSample },
      clones: createVoiceClones(db),
      openCredential: createOwnKeys(db, createSecretBoxOpener(config.credentials)),
    }),
    ...(google && { google: createGoogleVoice({ ...outside, ...google }) }),
    ...(f5 && { f5: createF5Voice({ ...outside, ...f5, fetchSample }) }),
    ...(template && { command: createCommandVoice({ ...outside, template }) }),
  };
}
