import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table provider_credentials (
      id uuid primary key,
      user_id uuid not null references users on delete cascade,
      provider text not null check (provider in ('elevenlabs')),
      key_id text not null,
      sealed bytea not null,
      created_at timestamptz not null default now()
    )`.execute(db);
  await sql`create index provider_credentials_by_user on provider_credentials (user_id)`.execute(db);
  await sql`
    create table name_audio_uses (
      key text not null references generation_cache on delete cascade,
      user_id uuid not null references users on delete cascade,
      primary key (user_id, key)
    )`.execute(db);
  await sql`create index name_audio_uses_by_key on name_audio_uses (key)`.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop table name_audio_uses`.execute(db);
  await sql`drop table provider_credentials`.execute(db);
}
