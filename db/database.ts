import { Kysely, Migrator, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { migrations } from './migrations/index.js';
import type { Database } from './schema.js';

export type Db = Kysely<Database>;

export interface DatabaseOptions {
  url: string;
  /** PostgreSQL schema that holds all tables; also what keeps test suites apart. */
  schema: string;
  poolSize: number;
}

/**
 * Opens a pool. A lost server shows as failing queries, never as a crash of the process.
 * @param onLostConnection told of every connection that the server ends, in whoever's hands it is
 */
export function openDatabase(options: DatabaseOptions, onLostConnection: (error: Error) => void): Db {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.poolSize,
    connectionTimeoutMillis: 5_000,
    options: `-c search_path=${options.schema},public`,
  });
  // The pool listens to the idle ones only, and passes on what it hears, without which it would end the process.
  pool.on('error', () => undefined);
  // One that is taken out of it belongs to its taker, who hears of it by a query that fails, if there is one just then.
  pool.on('connect', (client) => {
    client.on('error', onLostConnection);
  });
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
}

function migrator(db: Db, schema: string): Migrator {
  return new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(migrations) },
    migrationTableSchema: schema,
  });
}

/** Brings the schema up to date; safe to call from several processes at once. */
export async function migrateUp(db: Db, schema: string): Promise<string[]> {
  await sql`create schema if not exists ${sql.id(schema)}`.execute(db);
  return report(await migrator(db, schema).migrateToLatest());
}

/** Takes the newest migration back. */
export async function migrateDown(db: Db, schema: string): Promise<string[]> {
  return report(await migrator(db, schema).migrateDown());
}

function report(outcome: Awaited<ReturnType<Migrator['migrateToLatest']>>): string[] {
  const { error } = outcome;
  if (error instanceof Error) throw error;
  if (error !== undefined) throw new Error('the migration failed', { cause: error });
  return (outcome.results ?? []).map((result) => result.migrationName);
}
