import { startVitest } from 'vitest/node';

/**
 * `npx tsx test/replay/record.ts [name]` runs every scenario, or those whose name holds `name`, against the real
 * engine and writes their histories anew. Do it when a workflow changes in a way that no running job has to
 * survive; otherwise a history that fails to replay is the finding.
 */
const [name] = process.argv.slice(2);
const vitest = await startVitest('test', [], {
  watch: false,
  include: ['test/replay/*scenarios.ts'],
  ...(name === undefined ? {} : { testNamePattern: name }),
});
await vitest.close();
