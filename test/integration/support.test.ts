import { Connection } from '@temporalio/client';
import { afterAll, expect, inject, test } from 'vitest';
import { claimNamespace, createTestDatabase } from '../support/services.js';

const database = await createTestDatabase();
afterAll(() => database.drop());

test('a test database is migrated and its own', async () => {
  const other = await createTestDatabase();
  await database.db.insertInto('users').values({ email: 'a@example.org', password_hash: 'x' }).execute();
  expect(await database.db.selectFrom('users').select('email').execute()).toHaveLength(1);
  expect(await other.db.selectFrom('users').select('email').execute()).toHaveLength(0);
  await other.drop();
});

test('namespaces are claimed once', async () => {
  const claimed = [await claimNamespace(), await claimNamespace()];
  expect(new Set(claimed).size).toBe(2);
  const connection = await Connection.connect({ address: inject('temporalAddress') });
  for (const namespace of claimed) {
    const found = await connection.operatorService.listSearchAttributes({ namespace });
    expect(Object.keys(found.customAttributes)).toEqual(
      expect.arrayContaining(['CallsheetJobType', 'CallsheetUserId']),
    );
  }
  await connection.close();
});
