import type { Config } from '../config.js';
import { migrateDown, migrateUp, openDatabase } from '../db/database.js';
import { findRunningStack } from './stack/stack-record.js';
import { UsageError } from './usage-error.js';

const usage = 'npm run migrate -- up|down';

/** Migrates DATABASE_URL, or the database of the stack that runs here. */
export async function runMigrate(args: readonly string[], config: Config): Promise<number> {
  const [direction, ...rest] = args;
  if ((direction !== 'up' && direction !== 'down') || rest.length > 0) {
    throw new UsageError('migrate up, or migrate down (one step)', usage);
  }
  const url = config.database.url ?? findRunningStack(config.dataDir)?.addresses?.databaseUrl;
  if (url === undefined) throw new Error('set DATABASE_URL, or start the stack first ("npm start")');
  const { schema } = config.database;
  const db = openDatabase({ url, schema, poolSize: 1 }, () => undefined);
  try {
    const done = direction === 'up' ? await migrateUp(db, schema) : await migrateDown(db, schema);
    process.stdout.write(done.length === 0 ? 'nothing to do\n' : `${direction}: ${done.join(', ')}\n`);
  } finally {
    await db.destroy();
  }
  return 0;
}
