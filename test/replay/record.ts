import { startVitest } from 'vitest/node';

/**
 * `npx tsx test/replay/record.ts` runs every scenario against the
 * real engine and writes the histories anew. Do it when a workflow changes in a way that no running job has to
 * survive; otherwise a history that fails to replay is the finding.
 */
const vitest = await startVitest('test', [], {
  watch: false,
  include: ['test/replay/scenarios.ts'],
});
await vitest.close();
