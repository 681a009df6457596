import { type Kysely, sql } from 'kysely';

const videoFiles = ['video', 'thumbnail', 'vtt', 'srt', 'ass'];

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table projects (
      id uuid primary key default gen_random_uuid(),
      user_id uuid not null references users on delete cascade,
      name text not null,
      description text not null,
      status text not null default 'draft' check (status in ('draft', 'active', 'archived')),
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    )`.execute(db);
  await sql`create index projects_by_user on projects (user_id, created_at desc, id desc)`.execute(db);
  await sql`
    alter table jobs add constraint jobs_project_id_fkey
      foreign key (project_id) references projects on delete set null`.execute(db);
  await sql`create index jobs_by_project on jobs (project_id) where project_id is not null`.execute(db);
  await sql`
    alter table videos add constraint videos_project_id_fkey
      foreign key (project_id) references projects on delete set null`.execute(db);
  await sql`create index videos_by_project on videos (project_id) where project_id is not null`.execute(db);

  await sql`
    create table assets (
      id uuid primary key default gen_random_uuid(),
      user_id uuid not null references users on delete cascade,
      project_id uuid references projects on delete set null,
      kind text not null
        check (kind in ('image', 'audio', 'video', 'music', 'voice_sample', 'recipients')),
      file_name text not null,
      content_type text not null,
      bytes bigint not null check (bytes >= 0),
      sha256 text not null,
      artifact_id text not null references artifacts,
      rendition_artifact_id text references artifacts,
      media jsonb not null,
      created_at timestamptz not null default now(),
      constraint assets_once_a_user unique (user_id, kind, sha256)
    )`.execute(db);
  await sql`create index assets_by_user on assets (user_id, created_at desc, id desc)`.execute(db);
  await sql`create index assets_by_project on assets (project_id) where project_id is not null`.execute(db);
  await sql`create index assets_by_artifact on assets (artifact_id)`.execute(db);
  await sql`create index assets_by_rendition on assets (rendition_artifact_id)`.execute(db);
  await sql`
    create table uploads (
      id uuid primary key default gen_random_uuid(),
      user_id uuid not null references users on delete cascade,
      project_id uuid references projects on delete set null,
      kind text not null,
      file_name text not null,
      bytes bigint not null check (bytes > 0),
      token_hash text not null,
      asset_id uuid references assets on delete set null,
      expires_at timestamptz not null,
      created_at timestamptz not null default now()
    )`.execute(db);
  await sql`create index uploads_by_user on uploads (user_id)`.execute(db);
  await sql`create index uploads_by_expiry on uploads (expires_at)`.execute(db);

  // Files that a job was given: they stay as long as the job, which may be tried again.
  await sql`
    create table job_inputs (
      job_id uuid not null references jobs on delete cascade,
      artifact_id text not null references artifacts,
      primary key (job_id, artifact_id)
    )`.execute(db);
  await sql`create index job_inputs_by_artifact on job_inputs (artifact_id)`.execute(db);
  await sql`
    insert into job_inputs (job_id, artifact_id)
    select distinct jobs.id, artifacts.id
    from jobs,
      regexp_matches(jobs.workflow_input::text, '"([0-9a-f]{64}\\.[a-z0-9]{1,8})"', 'g') as found,
      artifacts
    where artifacts.id = found[1]`.execute(db);

  // What the search for files that nothing refers to goes by.
  await sql`alter table artifacts add column published_at timestamptz not null default now()`.execute(db);
  await sql`create index artifacts_by_publication on artifacts (published_at, id)`.execute(db);
  for (const file of videoFiles) {
    await sql`
      create index ${sql.id(`videos_by_${file}`)} on videos (${sql.id(`${file}_artifact`)})`.execute(db);
  }
  await sql`create index generation_cache_by_artifact on generation_cache using gin (artifacts)`.execute(db);
  await sql`create index generation_cache_by_use on generation_cache (last_used_at)`.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop index generation_cache_by_use`.execute(db);
  await sql`drop index generation_cache_by_artifact`.execute(db);
  for (const file of videoFiles) await sql`drop index ${sql.id(`videos_by_${file}`)}`.execute(db);
  await sql`alter table artifacts drop column published_at`.execute(db);
  for (const table of ['job_inputs', 'uploads', 'assets']) {
    await sql`drop table ${sql.table(table)}`.execute(db);
  }
  await sql`drop index jobs_by_project`.execute(db);
  await sql`drop index videos_by_project`.execute(db);
  await sql`alter table videos drop constraint videos_project_id_fkey`.execute(db);
  await sql`alter table jobs drop constraint jobs_project_id_fkey`.execute(db);
  await sql`drop table projects`.execute(db);
}
