import type { Config } from '../../config.js';
import { findRunningStack, type StackAddresses } from '../stack/stack-record.js';
import { startStack } from '../stack/start-stack.js';
import { untilInterrupted } from '../stack/until-interrupted.js';
import { say } from './say.js';

/** Resolves when work must end early: with the error of a broken stack, or with nothing when a user interrupts. */
export type Ended = Promise<Error | undefined>;

/**
 * Works on the stack that runs on the data folder, or on one of its own that it stops afterwards.
 * @param options.keep leaves an own stack running until it is interrupted, if the work went well.
 * @returns the exit code.
 */
export async function withStack(
  config: Config,
  work: (addresses: StackAddresses, ended: Ended) => Promise<number>,
  { keep = false }: { keep?: boolean } = {},
): Promise<number> {
  const interrupted = untilInterrupted().then(() => undefined);
  const running = findRunningStack(config.dataDir)?.addresses;
  if (running !== undefined) {
    say(`using the stack that runs at ${running.api}`);
    return await work(running, interrupted);
  }

  let breakStack: (error: Error) => void = () => undefined;
  const broken = new Promise<Error>((settle) => {
    breakStack = settle;
  });
  const starting = startStack({ config, onLine: say, onBroken: breakStack });
  const stack = await Promise.race([starting, interrupted]);
  if (stack === undefined) {
    // Interrupted while starting: let it come to a point from which it can be stopped in order.
    await starting.then((started) => started.stop()).catch(() => undefined);
    return 130;
  }
  try {
    const ended = Promise.race([broken, interrupted]);
    const code = await work(stack.addresses, ended);
    if (!keep || code !== 0) return code;
    say('the stack keeps running; Ctrl-C stops it');
    const failure = await ended;
    if (failure !== undefined) process.stderr.write(`${failure.message}\n`);
    return failure === undefined ? 0 : 1;
  } finally {
    say('stopping the stack ("npm start" keeps it up)');
    await stack.stop();
  }
}
