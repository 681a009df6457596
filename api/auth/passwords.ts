import { z } from '@hono/zod-openapi';
import { hash, verify } from '@node-rs/argon2';

/** A password that is being set. */
export const newPassword = z.string().min(8, 'must be at least 8 characters long').max(256);

/** A password that is being tried: a rule for it would only tell who has an old one. */
export const triedPassword = z.string().max(256);

/** OWASP's argon2id parameters: 19 MiB, two passes, one lane. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** argon2id is the library's default algorithm. */
export function hashPassword(password: string): Promise<string> {
  return hash(password, parameters);
}

let decoy: Promise<string> | undefined;

/** Without a hash (no such account) it takes the same time and answers false. */
export async function verifyPassword(passwordHash: string | undefined, password: string): Promise<boolean> {
  // Also where it is not needed: the first to wait for it must not stand out.
  const decoyHash = await (decoy ??= hashPassword('no password at all'));
  const matches = await verify(passwordHash ?? decoyHash, password);
  return passwordHash !== undefined && matches;
}
