import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient, Job } from './api-client.js';
import { createProgressView } from './progress-view.js';
import type { Ended } from './with-stack.js';

const pollMs = 500;

/**
 * Shows a job's progress until it has ended, however it does. When the work must end before, the job is cancelled.
 * @returns the ended job, or the exit code where there is nothing more to do.
 */
export async function followJob(client: ApiClient, accepted: Job, ended: Ended): Promise<Job | number> {
  const outcome = await Promise.race([poll(client, accepted), ended]);
  if (outcome !== undefined && !(outcome instanceof Error)) return outcome;
  await client.cancelJob(accepted.id).catch(() => undefined);
  process.stderr.write(`${outcome === undefined ? 'interrupted; the job is cancelled' : outcome.message}\n`);
  return outcome === undefined ? 130 : 1;
}

/** As a client without events would. */
async function poll(client: ApiClient, accepted: Job): Promise<Job> {
  const view = createProgressView(process.stdout);
  for (let job = accepted; ; job = await client.getJob(accepted.id)) {
    view.show(job);
    if (job.status === 'completed' || job.status === 'failed' || job.status === 'cancelled') return job;
    await sleep(pollMs);
  }
}

/** Why a job that did not complete ended. */
export function failureOf({ status, error }: Job): string {
  return `the job ${status}: ${error === null ? 'no reason given' : error.detail}`;
}
