import { sql, type Transaction } from 'kysely';
import { terminalStatuses } from '../workflows/contract/jobs.js';
import type { WebhookInput } from '../workflows/contract/webhooks.js';
import type { Db } from './database.js';
import type { JobRow } from './jobs.js';
import type { Database } from './schema.js';

/**
 * Ended jobs whose callback address was not told yet. The row is its own outbox: however a job ends, it is in
 * here from the moment of that commit on.
 */

/** Locks the oldest, so that several sweepers share them, and hands them to `work` while the locks hold. */
export function withDueWebhooks(
  db: Db,
  limit: number,
  work: (trx: Transaction<Database>, due: WebhookInput[]) => Promise<void>,
): Promise<void> {
  return db.transaction().execute(async (trx) => {
    const rows = await trx
      .selectFrom('jobs')
      .select(['id', 'user_id'])
      .where('callback_url', 'is not', null)
      .where('webhook_started_at', 'is', null)
      // As in the index; parameters would keep it from being used.
      .where(sql<boolean>`status in ('completed', 'failed', 'cancelled')`)
      .orderBy('completed_at')
      .limit(limit)
      .forUpdate()
      .skipLocked()
      .execute();
    await work(
      trx,
      rows.map((row) => ({ jobId: row.id, userId: row.user_id })),
    );
  });
}

/** The engine has it now. */
export async function setWebhookStarted(trx: Transaction<Database>, jobId: string): Promise<void> {
  await trx
    .updateTable('jobs')
    .set({ webhook_started_at: sql<Date>`now()` })
    .where('id', '=', jobId)
    .execute();
}

/** A user's job that is over. */
export function findEndedJob(db: Db, userId: string, id: string): Promise<JobRow | undefined> {
  return db
    .selectFrom('jobs')
    .selectAll()
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .where('status', 'in', terminalStatuses)
    .executeTakeFirst();
}
