import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.js';
import { findRunningStack } from './stack/stack-record.js';

/** Asks the stack on this data folder to end and waits until it has. */
export async function runStop(_args: readonly string[], config: Config): Promise<number> {
  const running = findRunningStack(config.dataDir);
  if (running === undefined) {
    process.stdout.write('no stack runs on this data folder\n');
    return 0;
  }
  process.kill(running.pid, 'SIGTERM');
  const deadline = Date.now() + (config.shutdownGraceSeconds + 30) * 1000;
  while (findRunningStack(config.dataDir) !== undefined) {
    if (Date.now() > deadline)
      throw new Error(`process ${String(running.pid)} does not end: look at its logs`);
    await sleep(200);
  }
  process.stdout.write('stopped\n');
  return 0;
}
