import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table job_recipients (
      job_id uuid not null references jobs on delete cascade,
      position integer not null check (position >= 0),
      row_number integer not null,
      name text not null,
      fields jsonb not null,
      status text not null default 'pending'
        check (status in ('pending', 'in_progress', 'completed', 'failed', 'cancelled')),
      file_artifact text references artifacts,
      file_name text,
      duration_seconds double precision,
      bytes bigint,
      message text,
      error jsonb,
      started_at timestamptz,
      completed_at timestamptz,
      primary key (job_id, position)
    )`.execute(db);
  await sql`
    create index job_recipients_by_status on job_recipients (job_id, status, position)`.execute(db);
  await sql`
    create index job_recipients_by_artifact on job_recipients (file_artifact)
      where file_artifact is not null`.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop table job_recipients`.execute(db);
}
