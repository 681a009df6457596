import type { Config } from '../config.js';
import { migrateDown, migrateUp } from '../db/database.js';
import { UsageError } from './usage-error.js';
import { withDatabase } from './with-database.js';

const usage = 'npm run migrate -- up|down';

/** Migrates DATABASE_URL, or the database of the stack that runs here. */
export async function runMigrate(args: readonly string[], config: Config): Promise<number> {
  const [direction, ...rest] = args;
  if ((direction !== 'up' && direction !== 'down') || rest.length > 0) {
    throw new UsageError('migrate up, or migrate down (one step)', usage);
  }
  const migrate = direction === 'up' ? migrateUp : migrateDown;
  const done = await withDatabase(config, migrate);
  process.stdout.write(done.length === 0 ? 'nothing to do\n' : `${direction}: ${done.join(', ')}\n`);
  return 0;
}
