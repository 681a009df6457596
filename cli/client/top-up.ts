import { randomUUID } from 'node:crypto';
import type { Config } from '../../config.js';
import { grantCredits } from '../../db/credits.js';
import { lockBalance } from '../../db/ledger.js';
import { findUserByEmail } from '../../db/users.js';
import { withDatabase } from '../with-database.js';

const usualAmount = 20;

/**
 * Gives the command line's own account new credits when it has fewer than it needs: whoever runs it runs the stack.
 * @param needed credits that it is about to spend.
 */
export function topUp(config: Config, databaseUrl: string, email: string, needed = 1): Promise<void> {
  const database = { ...config.database, url: databaseUrl };
  return withDatabase({ ...config, database }, (db) =>
    db.transaction().execute(async (trx) => {
      const user = await findUserByEmail(trx, email);
      if (user === undefined) return;
      const missing = needed - (await lockBalance(trx, user.id)).available;
      if (missing <= 0) return;
      const amount = Math.max(usualAmount, missing);
      const key = `demo:${randomUUID()}`;
      await grantCredits(trx, { userId: user.id, amount, reason: 'for the demo', actorId: null, key });
    }),
  );
}
