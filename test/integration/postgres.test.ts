import { chmod, mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { freePort, isPortFree } from '../../cli/stack/free-port.js';
import { startPostgres } from '../../cli/stack/postgres.js';
import { createSupervisor } from '../../cli/stack/process-supervisor.js';
import { createTestFolder } from '../support/services.js';

const { path: folder } = await createTestFolder('postgres');

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

test('the packaged server keeps its data over kill -9, even below a folder that is closed to others', async () => {
  const closed = join(folder, 'closed');
  await mkdir(closed);
  await chmod(closed, 0o700);
  const dir = join(closed, 'postgres');
  const supervisor = createSupervisor();
  const first = await startPostgres({ dir, port: await freePort(), supervisor });
  await query(first.url, 'create table kept as select 42 as answer');
  process.kill(first.process.pid, 'SIGKILL');
  await first.process.exited;

  const port = await freePort();
  const second = await startPostgres({ dir, port, supervisor });
  expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
  expect(await query(second.url, "select 'Ä' < 'B' as by_code_point, lower('Ä') as lower")).toEqual([
    { by_code_point: false, lower: 'ä' },
  ]);

  const password = join(dir, 'postgres-password');
  expect((await stat(password)).mode & 0o077).toBe(0);
  expect(second.url).toContain((await readFile(password, 'utf8')).trim());
  const guess = new URL(second.url);
  guess.password = 'guess';
  await expect(query(guess.href, 'select 1')).rejects.toThrow(/password authentication failed/);

  await supervisor.stopAll();
  expect(await isPortFree(port)).toBe(true);

  // Whoever removes the data folder begins anew.
  await rm(dir, { recursive: true });
  const third = await startPostgres({ dir, port, supervisor });
  expect(await query(third.url, "select to_regclass('kept') as kept")).toEqual([{ kept: null }]);
  await supervisor.stopAll();
  await rm(second.dir, { recursive: true });
});
