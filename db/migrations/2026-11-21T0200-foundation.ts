import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table users (
      id uuid primary key default gen_random_uuid(),
      email text not null unique check (email = lower(email)),
      password_hash text not null,
      name text,
      first_name text,
      last_name text,
      role text not null default 'user' check (role in ('user', 'admin')),
      status text not null default 'active' check (status in ('active', 'suspended')),
      is_verified boolean not null default false,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    )`.execute(db);
  await sql`
    create table sessions (
      token_hash text primary key,
      user_id uuid not null references users on delete cascade,
      family_id uuid not null,
      expires_at timestamptz not null,
      created_at timestamptz not null default now()
    )`.execute(db);
  await sql`create index sessions_by_family on sessions (family_id)`.execute(db);
  await sql`create index sessions_by_user on sessions (user_id)`.execute(db);
  await sql`
    create table refresh_tokens (
      token_hash text primary key,
      user_id uuid not null references users on delete cascade,
      family_id uuid not null,
      expires_at timestamptz not null,
      spent_at timestamptz,
      created_at timestamptz not null default now()
    )`.execute(db);
  await sql`create index refresh_tokens_by_family on refresh_tokens (family_id)`.execute(db);
  await sql`create index refresh_tokens_by_user on refresh_tokens (user_id)`.execute(db);
  await sql`
    create table audit_log (
      id bigint generated always as identity primary key,
      actor_id uuid references users on delete set null,
      action text not null,
      target text,
      detail jsonb not null default '{}',
      at timestamptz not null default now()
    )`.execute(db);
  await sql`
    create table artifacts (
      id text primary key,
      sha256 text not null,
      bytes bigint not null check (bytes >= 0),
      content_type text not null,
      created_at timestamptz not null default now()
    )`.execute(db);
  await sql`
    create table jobs (
      id uuid primary key,
      user_id uuid not null references users on delete cascade,
      project_id uuid,
      type text not null,
      status text not null default 'queued'
        check (status in ('queued', 'in_progress', 'awaiting_approval', 'completed', 'failed', 'cancelled')),
      parameters jsonb not null,
      workflow_input jsonb not null,
      edits jsonb not null default '[]',
      video_id uuid,
      retry_of uuid references jobs on delete set null,
      callback_url text,
      steps jsonb not null default '[]',
      overall_progress real not null default 0,
      result jsonb,
      error jsonb,
      credits_quoted integer not null default 0,
      credits_charged integer not null default 0,
      submitted_at timestamptz,
      cancel_requested_at timestamptz,
      created_at timestamptz not null default now(),
      started_at timestamptz,
      completed_at timestamptz
    )`.execute(db);
  await sql`create index jobs_by_user on jobs (user_id, created_at desc, id desc)`.execute(db);
  await sql`create index jobs_unsubmitted on jobs (created_at) where submitted_at is null`.execute(db);
  await sql`
    create unique index jobs_one_edit_a_video on jobs (video_id)
      where video_id is not null and status in ('queued', 'in_progress', 'awaiting_approval')`.execute(db);
  await sql`
    create table job_artifacts (
      job_id uuid not null references jobs on delete cascade,
      kind text not null,
      name text not null,
      artifact_id text not null references artifacts,
      position integer not null,
      primary key (job_id, position)
    )`.execute(db);
  await sql`create index job_artifacts_by_artifact on job_artifacts (artifact_id)`.execute(db);
  await sql`
    create table idempotency_keys (
      user_id uuid not null references users on delete cascade,
      key text not null,
      request_hash text not null,
      response_status integer,
      response_body jsonb,
      created_at timestamptz not null default now(),
      primary key (user_id, key)
    )`.execute(db);
  await sql`create index idempotency_keys_by_age on idempotency_keys (created_at)`.execute(db);
  await sql`
    create table videos (
      id uuid primary key default gen_random_uuid(),
      user_id uuid not null references users on delete cascade,
      project_id uuid,
      job_id uuid not null references jobs,
      title text not null,
      description text not null,
      duration_seconds double precision not null,
      width integer not null,
      height integer not null,
      bytes bigint not null,
      video_artifact text not null references artifacts,
      thumbnail_artifact text not null references artifacts,
      vtt_artifact text not null references artifacts,
      srt_artifact text not null references artifacts,
      ass_artifact text not null references artifacts,
      language text not null,
      scenes jsonb not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    )`.execute(db);
  await sql`create index videos_by_user on videos (user_id, created_at desc, id desc)`.execute(db);
  await sql`
    create table generation_cache (
      key text primary key,
      activity text not null,
      value jsonb not null,
      artifacts text[] not null,
      created_at timestamptz not null default now(),
      last_used_at timestamptz not null default now()
    )`.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of [
    'generation_cache',
    'videos',
    'idempotency_keys',
    'job_artifacts',
    'jobs',
    'artifacts',
    'audit_log',
    'refresh_tokens',
    'sessions',
    'users',
  ]) {
    await sql`drop table ${sql.table(table)}`.execute(db);
  }
}
