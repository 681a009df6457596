import { expect, inject, it } from 'vitest';
import { grant, recipientsOf, runBatch } from '../workflows/batch-lab.js';
import { createLab } from '../workflows/lab.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Batches that are run, by their recipients. */
    batchSizes: number[];
  }
}

/** Batches of tiny recipients on the real engine and records. Run by batch.ts, which says what it measures. */
it.each(inject('batchSizes'))('%i recipients', { timeout: 3_600_000 }, async (recipients) => {
  const lab = await createLab();
  await grant(lab, recipients);
  const workers = await lab.startWorkers({ calls: [], concurrency: 20 });
  let peak = 0;
  const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 100);
  try {
    const startedAt = performance.now();
    const id = await runBatch(lab, { recipients });
    const job = await lab.ended(id, 3_600_000);
    const seconds = (performance.now() - startedAt) / 1_000;
    expect(job.result).toMatchObject({ delivered: recipients, failed: 0 });
    expect(job.credits_charged).toBe(recipients);
    expect((await recipientsOf(lab, id)).every(({ status }) => status === 'completed')).toBe(true);
    const events: number[] = [];
    const { runId } = await lab.client.getHandle(id).describe();
    for (let at: string | null | undefined = runId; at != null && at !== '';) {
      const { events: run } = await lab.client.getHandle(id, at).fetchHistory();
      events.unshift(run?.length ?? 0);
      at = run?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId;
    }
    expect(Math.max(...events)).toBeLessThan(10_000);
    process.stdout.write(
      `${recipients} recipients: ${seconds.toFixed(0)} s, ${(recipients / seconds).toFixed(1)} a second; ` +
        `runs ${events.length}, longest history ${Math.max(...events)} events (goal < 10000); ` +
        `peak memory ${(peak / 2 ** 20).toFixed(0)} MB\n`,
    );
  } finally {
    clearInterval(timer);
    await workers.stop();
    await lab.close();
  }
});
