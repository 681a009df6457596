import { setTimeout as sleep } from 'node:timers/promises';
import type { SupervisedProcess } from './process-supervisor.js';
import { lastLines } from './last-lines.js';

/**
 * Tries `attempt` until it does not throw.
 * @throws Error with the end of the process's log when it ends first or `timeoutMs` passes.
 */
export async function waitUntilReady(
  child: SupervisedProcess,
  attempt: () => Promise<unknown>,
  timeoutMs: number,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    if (!child.isRunning()) throw new Error(`${child.name} ended at once:\n${lastLines(child.logFile)}`);
    try {
      await attempt();
      return;
    } catch (error) {
      if (Date.now() > deadline) {
        const seconds = String(Math.round(timeoutMs / 1000));
        const said = lastLines(child.logFile);
        throw new Error(`${child.name} was not ready within ${seconds} s:\n${said}`, { cause: error });
      }
    }
    await sleep(100);
  }
}
