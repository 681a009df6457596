import pg from 'pg';
import { isDatabaseAway } from './database-away.js';

const connectTimeoutMs = 5_000;

/**
 * Connects once.
 * @throws Error with one sentence for whoever set DATABASE_URL, without its password.
 */
export async function checkDatabase(url: string): Promise<void> {
  const client = clientFor(url);
  const place = `${client.host}:${client.port}`;
  try {
    await client.connect();
  } catch (error) {
    // Of PostgreSQL itself, it tells what it does not like: a password, a database that is not there.
    const said = error instanceof Error ? error.message : String(error);
    throw new Error(
      isDatabaseAway(error) || said.startsWith('timeout')
        ? `PostgreSQL does not answer at ${place}: start it there, correct DATABASE_URL, or unset it to use a server of Callsheet's own`
        : `PostgreSQL at ${place} refuses DATABASE_URL: ${said}`,
      { cause: error },
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}

function clientFor(url: string): pg.Client {
  try {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: connectTimeoutMs });
    // What the server says after its answer, such as that it shuts down, is no news here.
    client.on('error', () => undefined);
    return client;
  } catch (error) {
    throw new Error('DATABASE_URL must be like postgres://user:password@host:5432/database', {
      cause: error,
    });
  }
}
