import type { ColumnType } from 'kysely';

/** Keys of users at outside systems. */
export interface ProviderCredentialsTable {
  /** See `SecretBox.idOf`: the same secret of the same user is kept once. */
  id: string;
  user_id: string;
  provider: 'elevenlabs';
  /** Which of our keys it is sealed with. */
  key_id: string;
  /** See `SecretBox`; the row's id belongs to it. */
  sealed: Buffer;
  created_at: ColumnType<Date, Date | undefined, never>;
}

/** Whose names an entry of the content cache has said. */
export interface NameAudioUsesTable {
  key: string;
  user_id: string;
}
