import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { withTimeLimit } from '../../activities/time-limit.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** The reason that a signal gives, where nothing but its listener is left of it. */
function reasonOf(make: () => AbortSignal): Promise<unknown> {
  const signal = make();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true });
  });
}

it.each([
  ['with another signal', new AbortController().signal],
  ['alone', undefined],
])('a time limit comes although nobody holds it: %s', async (_, signal) => {
  const reason = reasonOf(() => withTimeLimit(signal, 300));
  for (let turn = 0; turn < 4; turn += 1) {
    await sleep(20);
    collectGarbage();
  }
  expect(await Promise.race([reason, sleep(20_000, 'never')])).toMatchObject({ name: 'TimeoutError' });
});

it('a signal that ends before says why', async () => {
  const cancel = new AbortController();
  const reason = reasonOf(() => withTimeLimit(cancel.signal, 60_000));
  cancel.abort(new Error('cancelled'));
  expect(await reason).toMatchObject({ message: 'cancelled' });
});
