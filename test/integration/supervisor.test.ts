import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { lastLines } from '../../cli/stack/last-lines.js';
import { keepRunning } from '../../cli/stack/keep-running.js';
import { createSupervisor } from '../../cli/stack/process-supervisor.js';
import { waitUntilReady } from '../../cli/stack/wait-until.js';
import { createTestFolder } from '../support/services.js';

const { path: folder } = await createTestFolder('supervisor');

/** Zombies count as gone: nobody is left in them to do anything. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
  } catch {
    return false;
  }
}

async function gone(pid: number, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (Date.now() < deadline) {
    if (!isAlive(pid)) return true;
    await sleep(20);
  }
  return false;
}

async function startParent() {
  const parent = spawn(process.execPath, ['--import', 'tsx', 'test/support/supervisor-parent.ts', folder], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const line = await new Promise<string>((resolve) => {
    parent.stdout.setEncoding('utf8').once('data', resolve);
  });
  const children = JSON.parse(line) as number[];
  expect(children.every(isAlive)).toBe(true);
  return { pid: parent.pid ?? 0, children };
}

test.each(['SIGKILL', 'SIGTERM', 'SIGUSR2'] as const)(
  'children end with a parent that gets %s',
  async (signal) => {
    const { pid, children } = await startParent();
    process.kill(pid, signal);
    for (const child of [pid, ...children]) expect(await gone(child, 15_000)).toBe(true);
  },
);

test('a program that ignores TERM is killed, with what it started', async () => {
  const supervisor = createSupervisor();
  const logFile = join(folder, 'ignores-term.log');
  const args = ['-c', "trap '' TERM; sleep 21 & echo $!; wait; sleep 22"];
  const stubborn = await supervisor.start({
    name: 'stubborn',
    command: '/bin/sh',
    args,
    logFile,
    stopTimeoutMs: 200,
  });
  await vi.waitFor(() => {
    expect(lastLines(logFile)).toMatch(/\d+/);
  }, 5_000);
  const grandchild = Number(lastLines(logFile));
  expect(isAlive(grandchild)).toBe(true);
  await supervisor.stopAll();
  expect(await gone(stubborn.pid, 2_000)).toBe(true);
  expect(await gone(grandchild, 2_000)).toBe(true);
});

test('processes are stopped in the reverse order of their start', async () => {
  const supervisor = createSupervisor();
  const logFile = join(folder, 'order.log');
  const script = (name: string) =>
    `trap 'echo ${name}; exit 0' TERM; echo ${name} is up; while :; do sleep 0.05; done`;
  for (const name of ['first', 'second', 'third']) {
    const args = ['-c', script(name)];
    await supervisor.start({ name, command: '/bin/sh', args, logFile });
    await vi.waitFor(() => {
      expect(lastLines(logFile)).toContain(`${name} is up`);
    }, 5_000);
  }
  await supervisor.stopAll();
  expect(lastLines(logFile).split('\n').slice(-3)).toEqual(['third', 'second', 'first']);
});

test('a program that cannot start says why', async () => {
  const supervisor = createSupervisor();
  const logFile = join(folder, 'absent.log');
  const child = await supervisor
    .start({ name: 'Absent', command: '/no/such/program', args: [], logFile })
    .catch((error: unknown) => error);
  if (child instanceof Error) {
    expect(child.message).toMatch(/Absent did not start/);
    return;
  }
  const started = child as Awaited<ReturnType<typeof supervisor.start>>;
  await started.exited;
  const waiting = waitUntilReady(started, () => Promise.reject(new Error('not yet')), 5_000);
  await expect(waiting).rejects.toThrow(/Absent ended at once:[^]*\/no\/such\/program/);
});

test('a process of ours is started again when it ends, until that is hopeless', async () => {
  const supervisor = createSupervisor();
  const logFile = join(folder, 'kept.log');
  const marker = join(folder, 'kept-once');
  const lines: string[] = [];
  const givenUp: Error[] = [];
  let isStopping = false;
  const options = {
    supervisor,
    isStopping: () => isStopping,
    onLine: (line: string) => lines.push(line),
    onGivenUp: (error: Error) => givenUp.push(error),
  };
  const args = ['-c', `test -e ${marker} && exec sleep 600; touch ${marker}; exit 3`];
  await keepRunning({ name: 'kept', command: '/bin/sh', args, logFile }, options);
  await sleep(1_600);
  expect(lines).toEqual(['kept ended (code 3); starting it again']);
  expect(givenUp).toEqual([]);

  const hopeless = { name: 'hopeless', command: '/bin/sh', args: ['-c', 'echo no luck; exit 4'], logFile };
  await keepRunning(hopeless, options);
  for (const deadline = Date.now() + 15_000; givenUp.length === 0 && Date.now() < deadline;) await sleep(100);
  expect(givenUp[0]?.message).toMatch(/hopeless keeps ending \(code 4\):[^]*no luck/);

  isStopping = true;
  await supervisor.stopAll();
  expect(existsSync(marker)).toBe(true);
});
