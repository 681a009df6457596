import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table jobs add column webhook_started_at timestamptz`.execute(db);
  // The ends that nobody was told of yet, however many jobs are over.
  await sql`
    create index jobs_webhook_due on jobs (completed_at)
      where callback_url is not null and webhook_started_at is null
        and status in ('completed', 'failed', 'cancelled')`.execute(db);
  await sql`
    create table webhook_secrets (
      user_id uuid primary key references users on delete cascade,
      secret text not null,
      previous_secret text,
      rotated_at timestamptz
    )`.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop table webhook_secrets`.execute(db);
  await sql`drop index jobs_webhook_due`.execute(db);
  await sql`alter table jobs drop column webhook_started_at`.execute(db);
}
