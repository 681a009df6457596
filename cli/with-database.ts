import type { Config } from '../config.js';
import { checkDatabase } from '../db/check-database.js';
import { openDatabase, type Db } from '../db/database.js';
import { findRunningStack } from './stack/stack-record.js';

/** Works on DATABASE_URL, or on the database of the stack that runs here. */
export async function withDatabase<T>(
  config: Config,
  work: (db: Db, schema: string) => Promise<T>,
): Promise<T> {
  const url = config.database.url ?? findRunningStack(config.dataDir)?.addresses?.databaseUrl;
  if (url === undefined) throw new Error('set DATABASE_URL, or start the stack first ("npm start")');
  await checkDatabase(url);
  const { schema } = config.database;
  const db = openDatabase({ url, schema, poolSize: 1 }, () => undefined);
  try {
    return await work(db, schema);
  } finally {
    await db.destroy();
  }
}
