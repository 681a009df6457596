import type { Db } from '../../db/database.js';
import { countLoginTry, forgiveLoginTry } from '../../db/login-tries.js';
import { networkOf } from '../client-address.js';
import { ProblemError } from '../errors.js';
import { hashToken } from './tokens.js';

/** Of each account and of each address; a login that succeeds does not count. */
const triesPerMinute = 5;

interface Try {
  email: string;
  address: string;
}

/**
 * Counts a try at an account's password.
 * @throws ProblemError `too_many_logins`, whether or not there is such an account.
 */
export async function admitLogin(db: Db, from: Try): Promise<void> {
  const { tries, secondsLeft } = await countLoginTry(db, keysOf(from));
  if (tries <= triesPerMinute) return;
  throw new ProblemError('too_many_logins', { headers: { 'retry-after': String(secondsLeft) } });
}

export function loginSucceeded(db: Db, from: Try): Promise<void> {
  return forgiveLoginTry(db, keysOf(from));
}

/** Hashes, so that the table tells nothing of who tried. */
function keysOf({ email, address }: Try): string[] {
  return [hashToken(`account ${email}`), hashToken(`address ${networkOf(address)}`)];
}
