import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const kept = z.object({ email: z.string(), password: z.string() });

export interface Account extends z.infer<typeof kept> {
  /** Where it is kept, readable for its owner only. */
  path: string;
  isNew: boolean;
}

/** The account of this command line on the stack of a data folder: a random password, made once. */
export async function localAccount(dataDir: string): Promise<Account> {
  const path = join(dataDir, 'demo-account.json');
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text !== undefined) return { ...kept.parse(JSON.parse(text)), path, isNew: false };
  const account = {
    email: `demo-${randomUUID().slice(0, 8)}@example.org`,
    password: randomBytes(24).toString('base64url'),
  };
  await mkdir(dataDir, { recursive: true });
  await writeFile(path, `${JSON.stringify(account)}\n`, { mode: 0o600 });
  return { ...account, path, isNew: true };
}
