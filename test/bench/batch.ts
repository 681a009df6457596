import { startVitest } from 'vitest/node';

/**
 * Batches of tiny recipients on the real engine, workflows and records, each in a process of its own: how many a
 * second, how long the longest history is, and whether memory depends on their number.
 */
export async function benchBatch(sizes: readonly number[]): Promise<boolean> {
  let isGreen = true;
  for (const size of sizes) {
    const vitest = await startVitest('test', [], {
      watch: false,
      include: ['test/bench/batch-load.ts'],
      exclude: [],
      provide: { batchSizes: [size] },
    });
    isGreen &&= vitest.state.getCountOfFailedTests() === 0;
    await vitest.close();
  }
  return isGreen;
}
