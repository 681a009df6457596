import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { Config } from '../config.js';
import { grantCredits, inCredits, InsufficientCredits } from '../db/credits.js';
import type { Db } from '../db/database.js';
import { checkLedger } from '../db/ledger-check.js';
import { readBalance } from '../db/ledger.js';
import { makeAdmin } from '../db/make-admin.js';
import { findUserByEmail } from '../db/users.js';
import { UsageError } from './usage-error.js';
import { withDatabase } from './with-database.js';

export const adminUsage = `  admin grant EMAIL                        make a user an admin
  admin credits EMAIL AMOUNT [REASON]      give a user credits; a negative amount takes them back
  admin ledger                             check the books`;

const maxAmount = 1_000_000;

/** What an operator does to accounts, on DATABASE_URL or the database of the stack that runs here. */
export function runAdmin(args: readonly string[], config: Config): Promise<number> {
  // A negative amount is no option.
  const { positionals } = parseArgs({ args: ['--', ...args], allowPositionals: true });
  const [action, ...rest] = positionals;
  switch (action) {
    case 'grant':
      return withDatabase(config, (db) => grantRole(db, emailFrom(rest, 1)));
    case 'credits': {
      const amount = Number(rest[1]);
      if (!Number.isInteger(amount) || amount === 0 || Math.abs(amount) > maxAmount) {
        throw new UsageError(`AMOUNT is a whole number but 0, at most ${maxAmount}`, adminUsage);
      }
      const reason = rest[2]?.trim() ?? '';
      const grant = { email: emailFrom(rest, 3), amount, reason: reason === '' ? 'by an operator' : reason };
      return withDatabase(config, (db) => giveCredits(db, grant));
    }
    case 'ledger':
      if (rest.length > 0) throw new UsageError('admin ledger takes nothing more', adminUsage);
      return withDatabase(config, reportLedger);
    default:
      throw new UsageError('admin grant, admin credits or admin ledger', adminUsage);
  }
}

function emailFrom(args: readonly string[], atMost: number): string {
  const email = args[0]?.trim().toLowerCase();
  if (email === undefined || email === '' || args.length > atMost) {
    throw new UsageError('which user? by their e-mail address', adminUsage);
  }
  return email;
}

async function grantRole(db: Db, email: string): Promise<number> {
  const outcome = await makeAdmin(db, email);
  if (outcome === 'no_such_user') throw new Error(`there is no user ${email}; register first`);
  process.stdout.write(`${email} is ${outcome === 'made' ? 'now an admin' : 'an admin already'}\n`);
  return 0;
}

async function giveCredits(
  db: Db,
  { email, amount, reason }: { email: string; amount: number; reason: string },
): Promise<number> {
  const user = await findUserByEmail(db, email);
  if (user === undefined) throw new Error(`there is no user ${email}`);
  const grant = { userId: user.id, amount, reason, actorId: null, key: `cli:${randomUUID()}` };
  await db
    .transaction()
    .execute((trx) => grantCredits(trx, grant))
    .catch((error: unknown) => {
      if (!(error instanceof InsufficientCredits)) throw error;
      throw new Error(`${email} has only ${inCredits(error.available)} that can be taken back`);
    });
  const { available } = await readBalance(db, user.id);
  process.stdout.write(`${email} has ${inCredits(available)} to spend\n`);
  return 0;
}

async function reportLedger(db: Db): Promise<number> {
  const faults = await checkLedger(db);
  for (const { rule, subject } of faults) process.stdout.write(`broken: ${rule} (${subject})\n`);
  if (faults.length === 0) process.stdout.write('the books are in order\n');
  return faults.length === 0 ? 0 : 1;
}
