import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table users add column avatar_artifact text references artifacts`.execute(db);
  // So that the search for files that nothing refers to need not read every user.
  await sql`
    create index users_by_avatar on users (avatar_artifact) where avatar_artifact is not null`.execute(db);
  await sql`create index users_by_age on users (created_at desc, id desc)`.execute(db);
  await sql`create index jobs_by_age on jobs (created_at desc, id desc)`.execute(db);
  await sql`
    create table api_keys (
      id uuid primary key default gen_random_uuid(),
      user_id uuid not null references users on delete cascade,
      name text not null,
      prefix text not null,
      key_hash text not null unique,
      expires_at timestamptz,
      last_used_at timestamptz,
      created_at timestamptz not null default now()
    )`.execute(db);
  await sql`create index api_keys_by_user on api_keys (user_id, created_at desc, id desc)`.execute(db);
  // The log is read in pages like every other list.
  await sql`
    alter table audit_log
      drop column id,
      add column id uuid primary key default gen_random_uuid()`.execute(db);
  await sql`alter table audit_log rename column at to created_at`.execute(db);
  await sql`create index audit_log_by_age on audit_log (created_at desc, id desc)`.execute(db);
  await sql`create index audit_log_by_actor on audit_log (actor_id, created_at desc, id desc)`.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop index audit_log_by_actor`.execute(db);
  await sql`drop index audit_log_by_age`.execute(db);
  await sql`alter table audit_log rename column created_at to at`.execute(db);
  await sql`
    alter table audit_log
      drop column id,
      add column id bigint generated always as identity primary key`.execute(db);
  await sql`drop table api_keys`.execute(db);
  await sql`drop index jobs_by_age`.execute(db);
  await sql`drop index users_by_age`.execute(db);
  await sql`alter table users drop column avatar_artifact`.execute(db);
}
