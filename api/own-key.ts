import type { Db } from '../db/database.js';
import { NoCredentialsKey, type OpenSecretBox } from '../db/credentials-key.js';
import { keepProviderCredential, providerCredentialId } from '../db/provider-credentials.js';
import { refuseField } from './validation.js';

/** A key that its user brought for their job. */
export interface OwnKey {
  /** What the job and its history know it by. */
  id: string;
  /** Keeps it, encrypted; in the transaction of the job's row. */
  keep(trx: Db): Promise<void>;
}

/**
 * The user's own ElevenLabs key of a request, if it is for ElevenLabs and has one.
 * @throws ProblemError `validation_failed` where it cannot be a key, or cannot be kept
 */
export async function ownElevenLabsKey(
  { openSecretBox }: { openSecretBox: OpenSecretBox },
  userId: string,
  { ttsProvider, elevenlabsApiKey: secret }: { ttsProvider: string; elevenlabsApiKey?: string | undefined },
): Promise<OwnKey | null> {
  if (secret === undefined || ttsProvider !== 'elevenlabs') return null;
  const path = 'body.elevenlabsApiKey';
  // It travels in a header.
  if (!/^[\x21-\x7e]+$/.test(secret)) throw refuseField(path, 'must be visible ASCII characters');
  const box = await openSecretBox().catch((error: unknown) => {
    if (!(error instanceof NoCredentialsKey)) throw error;
    throw refuseField(path, 'cannot be taken here: the operator has to set CREDENTIALS_KEY');
  });
  const credential = { userId, provider: 'elevenlabs' as const, secret };
  return {
    id: providerCredentialId(box, credential),
    keep: (trx) => keepProviderCredential(trx, box, credential),
  };
}
