import type { TestApi } from './support.js';

/** A user of their own with the role `admin`. */
export async function registerAdmin(api: TestApi) {
  const user = await api.register();
  await api.db.updateTable('users').set({ role: 'admin' }).where('id', '=', user.id).execute();
  return user;
}

/** The audit log as `[action, actorId, target]`, oldest first, from the given row count on. */
export async function auditRows(api: TestApi, from = 0) {
  const rows = await api.db
    .selectFrom('audit_log')
    .select(['action', 'actor_id', 'target'])
    .orderBy('created_at')
    .execute();
  return rows.slice(from).map(({ action, actor_id: actor, target }) => [action, actor, target] as const);
}
