import type { Db } from './database.js';
import { cursorAt, isBehind, type Position } from './pages.js';

interface AuditEntry {
  /** Who did it; null where nobody is logged in, or the program itself did it. */
  actorId: string | null;
  /** e.g. `auth.refresh_token_reused`. */
  action: string;
  /** Id of what it was done to. */
  target: string | null;
  /** Plain data that may be shown to every admin; never a password or a token. */
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

export interface AuditRow {
  id: string;
  actorId: string | null;
  actorEmail: string | null;
  action: string;
  target: string | null;
  detail: Record<string, unknown>;
  at: Date;
  cursorAt: string;
}

export interface AuditFilter {
  action?: string | undefined;
  actorId?: string | undefined;
  target?: string | undefined;
  after: Position | undefined;
  limit: number;
}

/** For admins. Newest first, one row more than `limit` when there is more. */
export function listAudit(db: Db, filter: AuditFilter): Promise<AuditRow[]> {
  let query = db
    .selectFrom('audit_log')
    .leftJoin('users', 'users.id', 'audit_log.actor_id')
    .select(['audit_log.id', 'audit_log.actor_id as actorId', 'users.email as actorEmail'])
    .select(['audit_log.action', 'audit_log.target', 'audit_log.detail', 'audit_log.created_at as at'])
    .select(cursorAt('audit_log'))
    .orderBy('audit_log.created_at', 'desc')
    .orderBy('audit_log.id', 'desc')
    .limit(filter.limit + 1);
  if (filter.action !== undefined) query = query.where('audit_log.action', '=', filter.action);
  if (filter.actorId !== undefined) query = query.where('audit_log.actor_id', '=', filter.actorId);
  if (filter.target !== undefined) query = query.where('audit_log.target', '=', filter.target);
  if (filter.after !== undefined) query = query.where(isBehind('audit_log', filter.after));
  return query.execute();
}
