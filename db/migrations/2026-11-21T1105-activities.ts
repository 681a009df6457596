import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // No references to what an entry tells of: it goes on telling of it when that is gone.
  await sql`
    create table activities (
      id uuid primary key default gen_random_uuid(),
      user_id uuid not null references users on delete cascade,
      type text not null,
      message text not null,
      script_id uuid,
      character_id uuid,
      video_id uuid,
      job_id uuid,
      created_at timestamptz not null default clock_timestamp()
    )`.execute(db);
  await sql`create index activities_by_user on activities (user_id, created_at desc, id desc)`.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop table activities`.execute(db);
}
