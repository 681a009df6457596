import { type OpenSecretBox } from '../../db/credentials-key.js';
import type { Db } from '../../db/database.js';
import { findProviderCredential, openFoundCredential } from '../../db/provider-credentials.js';
import { transientFailure } from '../failures.js';

/** Reads a user's own key at an outside system, just where it is used. */
export type OpenCredential = (id: string, userId: string) => Promise<string | undefined>;

/**
 * @returns undefined from it when the user has no such key
 * @throws ApplicationFailure, from it, `credential_unreadable` while this host has another key than the API, or none
 */
export function createOwnKeys(db: Db, openSecretBox: OpenSecretBox): OpenCredential {
  return async (id, userId) => {
    const found = await findProviderCredential(db, { id, userId, provider: 'elevenlabs' });
    if (found === undefined) return undefined;
    try {
      return openFoundCredential(await openSecretBox(), found);
    } catch (cause) {
      throw transientFailure({
        code: 'credential_unreadable',
        detail:
          'The key of this job cannot be read: the operator has to set one CREDENTIALS_KEY on all hosts.',
        cause,
      });
    }
  };
}
