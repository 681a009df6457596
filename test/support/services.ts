import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { inject } from 'vitest';
import { migrateUp, openDatabase, type Db } from '../../db/database.js';

export interface TestDatabase {
  db: Db;
  url: string;
  schema: string;
  /** Closes the pool and removes the schema. */
  drop(): Promise<void>;
}

/** A migrated schema that nobody else uses. Call `drop` when the suite ends. */
export async function createTestDatabase(options: { poolSize?: number } = {}): Promise<TestDatabase> {
  const url = inject('databaseUrl');
  const schema = `test_${randomBytes(6).toString('hex')}`;
  const db = openDatabase({ url, schema, poolSize: options.poolSize ?? 8 }, () => undefined);
  await migrateBesideOthers(db, schema);
  return {
    db,
    url,
    schema,
    async drop() {
      await sql`drop schema if exists ${sql.id(schema)} cascade`.execute(db);
      await db.destroy();
    },
  };
}

/**
 * Kysely's migrator reads the whole server's catalogue first, which fails while another suite's schema is being dropped:
 * it meets names that are there no more.
 */
async function migrateBesideOthers(db: Db, schema: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await migrateUp(db, schema);
      return;
    } catch (error) {
      const isOfCatalogue = error instanceof Error && error.stack?.includes('PostgresIntrospector') === true;
      if (!isOfCatalogue || tries === 5) throw error;
    }
  }
}

/** A Temporal namespace that no other suite of this run gets. */
export async function claimNamespace(): Promise<string> {
  for (const namespace of inject('temporalNamespaces')) {
    // Suites run in processes of their own; making a folder is what only one of them can do.
    const mine = await mkdir(join(inject('runFolder'), 'claimed-namespaces', namespace)).then(
      () => true,
      () => false,
    );
    if (mine) return namespace;
  }
  throw new Error('all namespaces are claimed: raise their count in test/support/global-setup.ts');
}

/** An empty folder; it goes with the run, or earlier by `remove`. */
export async function createTestFolder(name: string): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(inject('runFolder'), `${name}-`));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) };
}
