import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // Of two answers to a review the first counts: the edits of the second must not take the place of those that count.
  await sql`alter table jobs add column review_answered_at timestamptz`.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`alter table jobs drop column review_answered_at`.execute(db);
}
