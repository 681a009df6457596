import type { Db } from './database.js';

interface AuditEntry {
  actorId: string | null;
  /** e.g. `auth.refresh_token_reused`. */
  action: string;
  target: string | null;
  detail?: Record<string, unknown>;
}

/** Writes one row of the audit log; in the transaction of what it tells of. */
export async function writeAudit(db: Db, entry: AuditEntry): Promise<void> {
  await db
    .insertInto('audit_log')
    .values({
      actor_id: entry.actorId,
      action: entry.action,
      target: entry.target,
      detail: JSON.stringify(entry.detail ?? {}),
    })
    .execute();
}
