import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../cli/stack/free-port.js';
import { startStack } from '../../cli/stack/start-stack.js';
import type { StackAddresses } from '../../cli/stack/stack-record.js';
import { inheritedEnvironment, readConfig } from '../../config.js';

/**
 * Runs `work` on a whole stack of its own in a fresh data folder, with the programs that `npm start` runs.
 * The stack hands this process's environment on to the API and the workers, so the settings are put there.
 */
export async function withBenchStack<T>(work: (addresses: StackAddresses) => Promise<T>): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), 'callsheet-bench-'));
  Object.assign(process.env, {
    DATA_DIR: dataDir,
    PORT: String(await freePort()),
    TEMPORAL_UI_PORT: String(await freePort()),
    LOG_LEVEL: 'warn',
    SIGNUP_CREDITS: '10000',
  });
  const stack = await startStack({
    config: readConfig(inheritedEnvironment()),
    onLine: () => undefined,
    onBroken: (error) => {
      process.stderr.write(`${error.message}\n`);
    },
  });
  try {
    return await work(stack.addresses);
  } finally {
    await stack.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}
