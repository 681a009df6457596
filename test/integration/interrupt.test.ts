import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const program = fileURLToPath(new URL('../support/interrupt-waiter.ts', import.meta.url));

/** Sends SIGINT at the given pauses once the program is ready. Answers its exit code and what it said. */
async function interrupted(pausesMs: number[]): Promise<{ code: number; said: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', program], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  const exited = once(child, 'exit');
  await once(child.stdout, 'data');
  for (const pauseMs of pausesMs) {
    await sleep(pauseMs);
    child.kill('SIGINT');
  }
  const [code] = (await exited) as [number];
  return { code, said };
}

test('one Ctrl-C that npm passes on a second time stops in order', async () => {
  expect(await interrupted([0, 30])).toEqual({ code: 0, said: 'ready\nstopped\n' });
});

test('a second Ctrl-C ends at once', async () => {
  expect(await interrupted([0, 1_000])).toEqual({ code: 130, said: 'ready\n' });
});
