import { randomUUID } from 'node:crypto';
import type { Config } from '../../config.js';
import { grantCredits } from '../../db/credits.js';
import { lockBalance } from '../../db/ledger.js';
import { findUserByEmail } from '../../db/users.js';
import { withDatabase } from '../with-database.js';

const amount = 20;

/** Gives the demo's account new credits when it has spent what it began with: whoever runs it runs the stack. */
export function topUp(config: Config, databaseUrl: string, email: string): Promise<void> {
  const database = { ...config.database, url: databaseUrl };
  return withDatabase({ ...config, database }, (db) =>
    db.transaction().execute(async (trx) => {
      const user = await findUserByEmail(trx, email);
      if (user === undefined || (await lockBalance(trx, user.id)).available > 0) return;
      const key = `demo:${randomUUID()}`;
      await grantCredits(trx, { userId: user.id, amount, reason: 'for the demo', actorId: null, key });
    }),
  );
}
