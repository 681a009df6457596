import { writeAudit } from './audit.js';
import type { Db } from './database.js';

/** Makes a user an admin, from the command line, with the audit row that tells of it; once. */
export function makeAdmin(db: Db, email: string): Promise<'made' | 'is_one' | 'no_such_user'> {
  return db.transaction().execute(async (trx) => {
    const user = await trx
      .selectFrom('users')
      .select(['id', 'role'])
      .where('email', '=', email)
      .forUpdate()
      .executeTakeFirst();
    if (user === undefined) return 'no_such_user';
    if (user.role === 'admin') return 'is_one';
    await trx
      .updateTable('users')
      .set({ role: 'admin', updated_at: new Date() })
      .where('id', '=', user.id)
      .execute();
    await writeAudit(trx, { actorId: null, action: 'admin.granted', target: user.id });
    return 'made';
  });
}
