import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // Every hold, capture and release has its row: what was done to one user must be found among all of them.
  await sql`
    create index audit_log_by_target on audit_log (target, created_at desc, id desc)
      where target is not null`.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop index audit_log_by_target`.execute(db);
}
