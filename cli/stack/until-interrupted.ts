/** npm passes the terminal's Ctrl-C on to us, who had it already: one key press arrives twice. */
const echoMs = 700;

/**
 * Resolves with the first signal that asks us to end. A later one ends this process at once; the supervisor then kills
 * what still runs.
 */
export function untilInterrupted(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let askedAt: number | undefined;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (askedAt !== undefined && performance.now() - askedAt > echoMs) process.exit(130);
        askedAt ??= performance.now();
        resolve(signal);
      });
    }
  });
}
