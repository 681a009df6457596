import { sql } from 'kysely';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import { openDatabase, type Db } from '../../db/database.js';

const lost: Error[] = [];
let db: Db;
let other: Db;
beforeAll(() => {
  const options = { url: inject('databaseUrl'), schema: 'public', poolSize: 2 };
  db = openDatabase(options, (error) => lost.push(error));
  other = openDatabase(options, () => undefined);
});
afterAll(async () => {
  await db.destroy();
  await other.destroy();
});

const ownPid = async (connection: Db): Promise<number> => {
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(connection);
  return rows[0]?.pid ?? 0;
};

/** As a server that goes away does it. */
async function end(pid: number): Promise<void> {
  await sql`select pg_terminate_backend(${pid})`.execute(other);
}

/** The next query may meet the same connection before its end is known here. */
const answers = () =>
  vi.waitFor(async () => expect(await ownPid(db)).toBeGreaterThan(0), { timeout: 20_000 });

const told = () => vi.waitFor(() => expect(lost.length).toBeGreaterThan(0), { timeout: 20_000 });

it('a connection that is lost while it is taken, between two queries, fails the next and no more', async () => {
  lost.length = 0;
  const work = db.connection().execute(async (connection) => {
    await end(await ownPid(connection));
    await told();
    await ownPid(connection);
  });
  await expect(work).rejects.toThrow(/not queryable|Connection terminated|terminating connection/);
  await answers();
});

it('a connection that is lost in the middle of a query fails it and no more', async () => {
  const work = db.connection().execute(async (connection) => {
    const pid = await ownPid(connection);
    const query = sql`select pg_sleep(60)`.execute(connection);
    await end(pid);
    await query;
  });
  await expect(work).rejects.toThrow(/Connection terminated|terminating connection/);
  await answers();
});

it('a connection that is lost in the pool is told of and replaced', async () => {
  lost.length = 0;
  await end(await ownPid(db));
  await told();
  await answers();
});
