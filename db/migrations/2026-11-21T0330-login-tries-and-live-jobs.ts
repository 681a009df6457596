import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // Unlogged: after a crash of the server everybody may try again.
  await sql`
    create unlogged table login_tries (
      key text primary key,
      tries integer not null,
      since timestamptz not null
    )`.execute(db);
  // What the sweeper looks at every few seconds, however many jobs are over.
  await sql`
    create index jobs_live on jobs (id)
      where status in ('queued', 'in_progress', 'awaiting_approval')`.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop index jobs_live`.execute(db);
  await sql`drop table login_tries`.execute(db);
}
