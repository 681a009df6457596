import { setTimeout as sleep } from 'node:timers/promises';
import { lastLines } from './last-lines.js';
import type { ProcessSpec, SupervisedProcess, Supervisor } from './process-supervisor.js';

const pauseMs = 1_000;
/** As many ends within the window mean that starting again will not help. */
const mostEnds = 5;
const windowMs = 60_000;

export interface KeepRunningOptions {
  supervisor: Supervisor;
  /** True once the stack is being stopped. */
  isStopping: () => boolean;
  onLine: (line: string) => void;
  /** Told once, when it was given up. */
  onGivenUp: (error: Error) => void;
}

/** Starts a process of ours again when it ends by itself: its work is durable, so another one goes on with it. */
export async function keepRunning(
  spec: ProcessSpec,
  options: KeepRunningOptions,
): Promise<SupervisedProcess> {
  const ends: number[] = [];
  const watch = async (child: SupervisedProcess): Promise<void> => {
    const exit = await child.exited;
    if (options.isStopping()) return;
    const now = Date.now();
    ends.push(now);
    const how = exit.signal ?? `code ${String(exit.code)}`;
    if (ends.filter((at) => now - at < windowMs).length >= mostEnds) {
      throw new Error(`${spec.name} keeps ending (${how}):\n${lastLines(spec.logFile)}`);
    }
    options.onLine(`${spec.name} ended (${how}); starting it again`);
    await sleep(pauseMs);
    if (options.isStopping()) return;
    await watch(await options.supervisor.start(spec));
  };
  const first = await options.supervisor.start(spec);
  watch(first).catch((error: unknown) => {
    options.onGivenUp(error instanceof Error ? error : new Error(String(error)));
  });
  return first;
}
