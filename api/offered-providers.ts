import type { Config } from '../config.js';
import type { LipSyncProviderName, NameVoice } from '../workflows/contract/personalized.js';

/** What this installation offers besides what is built in. */
export interface OfferedProviders {
  voices: ReadonlySet<NameVoice>;
  lipSync: ReadonlySet<LipSyncProviderName>;
}

/** What clients can choose: what is built in, and what the operator has configured. */
export function offeredProviders(
  config: Pick<Config, 'elevenlabs' | 'google' | 'f5' | 'ttsCommand' | 'sync' | 'wav2lip'>,
): OfferedProviders {
  const { elevenlabs, google, f5, ttsCommand, sync, wav2lip } = config;
  return {
    voices: new Set([
      ...(['espeak', 'none'] as const),
      // Without the operator's key it takes a user's own.
      ...(elevenlabs.apiKey === undefined ? [] : (['elevenlabs'] as const)),
      ...(google === undefined ? [] : (['google'] as const)),
      ...(f5 === undefined ? [] : (['f5'] as const)),
      ...(ttsCommand === undefined ? [] : (['command'] as const)),
    ]),
    lipSync: new Set([
      ...(['none', 'viseme'] as const),
      ...(sync === undefined ? [] : (['sync'] as const)),
      ...(wav2lip === undefined ? [] : (['wav2lip'] as const)),
    ]),
  };
}
