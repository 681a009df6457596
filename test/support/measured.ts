export interface Measured<T> {
  result: T;
  ms: number;
  /** How far the memory of this process grew meanwhile, in bytes. */
  growth: number;
  /** How long nothing else had its turn in this process, at most. */
  longestWaitMs: number;
}

/** Does `work` and says what it cost this process. */
export async function measured<T>(work: () => Promise<T>): Promise<Measured<T>> {
  const [startedAt, before] = [performance.now(), process.memoryUsage.rss()];
  let [last, longestWaitMs, peak] = [startedAt, 0, before];
  const look = () => {
    const now = performance.now();
    [last, longestWaitMs] = [now, Math.max(longestWaitMs, now - last)];
    peak = Math.max(peak, process.memoryUsage.rss());
  };
  const timer = setInterval(look, 3);
  const result = await work().finally(() => {
    clearInterval(timer);
  });
  look();
  return { result, ms: last - startedAt, growth: peak - before, longestWaitMs };
}
