import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from './statistics.js';
import { untilCompleted, type RestClient } from './rest.js';

const jobs = 200;
const inFlight = 20;
const readsPerSecond = 50;

export interface TinyJobsFigures {
  jobsPerMinute: number;
  reads: number;
  readP50Ms: number;
  readP99Ms: number;
}

/** Many one-stage jobs at once, and `GET /jobs/{id}` at a steady pace meanwhile. */
export async function benchTinyJobs(client: RestClient): Promise<TinyJobsFigures> {
  const accepted: string[] = [];
  const readMs: number[] = [];
  const ended = new AbortController();

  const readers = (async () => {
    const reads: Promise<void>[] = [];
    for (let index = 0; !ended.signal.aborted; index++) {
      const id = accepted[(index * 7) % Math.max(1, accepted.length)];
      if (id !== undefined) {
        const from = performance.now();
        reads.push(client.getJob(id).then(() => void readMs.push(performance.now() - from)));
      }
      await sleep(1000 / readsPerSecond);
    }
    await Promise.all(reads);
  })();

  const startedAt = performance.now();
  let next = 0;
  const lane = async () => {
    while (next < jobs) {
      const number = next++;
      const { id } = await client.post('/stages/content', {
        source: `# Note ${String(number)}\nOne sentence.`,
      });
      accepted.push(id);
      await untilCompleted(client, id);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  const minutes = (performance.now() - startedAt) / 60_000;
  ended.abort();
  await readers;
  return {
    jobsPerMinute: jobs / minutes,
    reads: readMs.length,
    readP50Ms: percentile(readMs, 0.5),
    readP99Ms: percentile(readMs, 0.99),
  };
}
