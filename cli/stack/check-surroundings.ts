import type { Config } from '../../config.js';
import { checkDatabase } from '../../db/check-database.js';
import { checkTemporal } from './check-temporal.js';
import { isPortFree } from './free-port.js';

/**
 * Whether a stack can run here, asked before anything is started that would wait for what is not there.
 * @throws Error with one sentence that says what to do
 */
export async function checkSurroundings(config: Config): Promise<void> {
  await checkPorts(config);
  const { database, temporal } = config;
  if (database.url !== undefined) await checkDatabase(database.url);
  if (temporal.address !== undefined) await checkTemporal(temporal.address, temporal);
}

async function checkPorts(config: Config): Promise<void> {
  const wanted = [{ port: config.api.port, host: config.api.host, name: 'PORT', what: 'the API' }];
  if (config.temporal.address === undefined) {
    const port = config.temporal.uiPort;
    wanted.push({ port, host: '127.0.0.1', name: 'TEMPORAL_UI_PORT', what: "Temporal's Web UI" });
  }
  for (const { port, host, name, what } of wanted) {
    if (await isPortFree(port, host)) continue;
    throw new Error(`port ${String(port)} for ${what} is taken: end what uses it, or set ${name} to another`);
  }
}
