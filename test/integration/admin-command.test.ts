import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { topUp } from '../../cli/client/top-up.js';
import { runAdmin } from '../../cli/run-admin.js';
import { UsageError } from '../../cli/usage-error.js';
import { readConfig } from '../../config.js';
import { checkLedger } from '../../db/ledger-check.js';
import { readBalance } from '../../db/ledger.js';
import { createTestDatabase, type TestDatabase } from '../support/services.js';

let database: TestDatabase;
let userId: string;
const printed = vi.spyOn(process.stdout, 'write').mockReturnValue(true);

beforeAll(async () => {
  database = await createTestDatabase();
  const row = await database.db
    .insertInto('users')
    .values({ email: 'ada@example.org', password_hash: 'x' })
    .returning('id')
    .executeTakeFirstOrThrow();
  userId = row.id;
});
afterEach(() => {
  printed.mockClear();
});
afterAll(async () => {
  printed.mockRestore();
  await database.drop();
});

const admin = async (...args: string[]): Promise<string> => {
  const config = readConfig({ DATABASE_URL: database.url, DATABASE_SCHEMA: database.schema });
  expect(await runAdmin(args, config)).toBe(0);
  return printed.mock.calls.map(([text]) => String(text)).join('');
};
const audit = () =>
  database.db
    .selectFrom('audit_log')
    .select(['action', 'actor_id', 'detail'])
    .where('target', '=', userId)
    .orderBy('created_at')
    .execute();
const role = async () =>
  (await database.db.selectFrom('users').select('role').where('id', '=', userId).executeTakeFirstOrThrow())
    .role;

it('makes an admin, once and with one audit row', async () => {
  expect(await admin('grant', 'Ada@Example.org')).toBe('ada@example.org is now an admin\n');
  printed.mockClear();
  expect(await admin('grant', 'ada@example.org')).toBe('ada@example.org is an admin already\n');
  expect(await role()).toBe('admin');
  expect(await audit()).toEqual([{ action: 'admin.granted', actor_id: null, detail: {} }]);
  await expect(admin('grant', 'eve@example.org')).rejects.toThrow('no user eve@example.org');
});

it('gives credits and takes back what is there, each with one audit row', async () => {
  expect(await admin('credits', 'ada@example.org', '7', 'for a talk')).toBe(
    'ada@example.org has 7 credits to spend\n',
  );
  printed.mockClear();
  expect(await admin('credits', 'ada@example.org', '-6')).toBe('ada@example.org has 1 credit to spend\n');
  await expect(admin('credits', 'ada@example.org', '-2')).rejects.toThrow(
    'only 1 credit that can be taken back',
  );
  expect(await readBalance(database.db, userId)).toEqual({ available: 1, held: 0 });
  const rows = (await audit()).slice(1);
  expect(rows.map(({ action, detail }) => [action, detail['amount'], detail['reason']])).toEqual([
    ['credits.granted', 7, 'for a talk'],
    ['credits.debited', -6, 'by an operator'],
  ]);
});

it('gives the demo new credits when it has none left, and only then', async () => {
  const { db, url, schema } = database;
  const config = readConfig({ DATABASE_SCHEMA: schema });
  await topUp(config, url, 'ada@example.org');
  expect((await readBalance(db, userId)).available).toBe(1);
  await admin('credits', 'ada@example.org', '-1');
  await topUp(config, url, 'ada@example.org');
  expect((await readBalance(db, userId)).available).toBe(20);
});

it('checks the books', async () => {
  expect(await admin('ledger')).toBe('the books are in order\n');
  expect(await checkLedger(database.db)).toEqual([]);
});

it.each([
  [['grant']],
  [['grant', 'a@b.c', 'd@e.f']],
  [['credits', 'ada@example.org']],
  [['credits', 'ada@example.org', '0']],
  [['credits', 'ada@example.org', '1.5']],
  [['credits', 'ada@example.org', '1e9']],
  [['ledger', 'x']],
  [['remove', 'ada@example.org']],
])('refuses %j with its usage', async (args) => {
  await expect((async () => admin(...args))()).rejects.toThrow(UsageError);
});
