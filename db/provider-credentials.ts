import type { Db } from './database.js';
import type { SecretBox } from './secret-box.js';

export interface ProviderCredential {
  userId: string;
  provider: 'elevenlabs';
}

/** The secret was sealed by a host whose key is another than this one's. */
export class CredentialKeyDiffers extends Error {
  constructor() {
    super('the credential was sealed with another key: set the same CREDENTIALS_KEY on all hosts');
    this.name = 'CredentialKeyDiffers';
  }
}

/** What everything else knows a user's secret by, whether or not it is kept. */
export function providerCredentialId(
  box: SecretBox,
  { userId, provider, secret }: ProviderCredential & { secret: string },
): string {
  return box.idOf(secret, `${provider}\n${userId}`);
}

/** Keeps a user's secret, sealed, under {@link providerCredentialId}. */
export async function keepProviderCredential(
  db: Db,
  box: SecretBox,
  credential: ProviderCredential & { secret: string },
): Promise<void> {
  const { userId, provider, secret } = credential;
  const id = providerCredentialId(box, credential);
  await db
    .insertInto('provider_credentials')
    .values({ id, user_id: userId, provider, key_id: box.keyId, sealed: box.seal(secret, id) })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}

/** A secret as it is kept. */
export interface SealedCredential {
  id: string;
  key_id: string;
  sealed: Buffer;
}

/** Undefined when the user has none of that id. */
export function findProviderCredential(
  db: Db,
  { id, userId, provider }: ProviderCredential & { id: string },
): Promise<SealedCredential | undefined> {
  return db
    .selectFrom('provider_credentials')
    .select(['id', 'key_id', 'sealed'])
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .where('provider', '=', provider)
    .executeTakeFirst();
}

/** @throws CredentialKeyDiffers; Error when the row was changed */
export function openFoundCredential(box: SecretBox, { id, key_id, sealed }: SealedCredential): string {
  if (key_id !== box.keyId) throw new CredentialKeyDiffers();
  return box.open(sealed, id);
}
