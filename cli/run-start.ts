import type { Config } from '../config.js';
import { startStack } from './stack/start-stack.js';
import { untilInterrupted } from './stack/until-interrupted.js';

/** Brings the stack up, prints where it is, and keeps it up until a signal. */
export async function runStart(_args: readonly string[], config: Config): Promise<number> {
  const interrupted = untilInterrupted().then(() => undefined);
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
  const { addresses } = stack;
  say('');
  say(`API              ${addresses.api}   (docs at ${addresses.api}/docs)`);
  if (addresses.webUi !== undefined) say(`Temporal Web UI  ${addresses.webUi}`);
  say(`Temporal         ${addresses.temporal}`);
  say(`data             ${config.dataDir}`);
  say(`logs             ${stack.logsFolder}`);
  say('Ctrl-C stops everything.');
  const failure = await Promise.race([broken, interrupted]);
  if (failure !== undefined) process.stderr.write(`${failure.message}\n`);
  say(
    `stopping; running work may finish for ${String(config.shutdownGraceSeconds)} s, Ctrl-C again ends it now`,
  );
  await stack.stop();
  say('stopped');
  return failure === undefined ? 0 : 1;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
