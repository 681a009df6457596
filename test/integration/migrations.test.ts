import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { migrateDown, migrateUp } from '../../db/database.js';
import { migrations } from '../../db/migrations/index.js';
import { createTestDatabase } from '../support/services.js';

it('every migration goes down, which leaves nothing, and up again to the same', async () => {
  const { db, schema, drop } = await createTestDatabase();
  const definitions = async () => {
    const { rows } = await sql<{ what: string }>`
      select indexdef as what from pg_indexes where schemaname = ${schema}
      union all
      select concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default)
      from information_schema.columns where table_schema = ${schema}
      union all
      select concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid))
      from pg_constraint where connamespace = ${schema}::regnamespace
      union all
      select concat_ws(' ', 'function', proname) from pg_proc where pronamespace = ${schema}::regnamespace
      order by 1`.execute(db);
    return rows.map(({ what }) => what).filter((what) => !what.includes('kysely_'));
  };
  const before = await definitions();
  expect(before.length).toBeGreaterThan(100);

  const names = Object.keys(migrations).toSorted();
  const taken: string[] = [];
  for (const _name of names) taken.push(...(await migrateDown(db, schema)));
  expect(taken).toEqual(names.toReversed());
  expect(await definitions()).toEqual([]);

  expect(await migrateUp(db, schema)).toEqual(names);
  expect(await definitions()).toEqual(before);
  await drop();
});
