import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startE2eStack, type E2eStack } from './e2e-stack.js';
import { expectInvariants } from './invariants.js';
import { lookAtVideo } from './media-facts.js';

const jobCount = 4;
/** Fewer than the attempts that a media activity has: none may be met by all of them. */
const kills = 6;
const pauseMs = [2_000, 5_000] as const;

const request = (salt: string) => ({
  source: `# Harbours\n\n## Bergen ${salt}\n\nThe harbour wakes slowly.\n\n## Porto ${salt}\n\nGulls follow the first boats.`,
  sceneCount: 2,
  resolution: '720p',
});

let stack: E2eStack;
beforeAll(async () => {
  stack = await startE2eStack({ workers: 2 });
});
afterAll(() => stack.stop());

it('jobs outlive a random worker that is killed every few seconds', async () => {
  const { client } = stack;
  const accepted = await Promise.all(
    Array.from({ length: jobCount }, (_, index) =>
      client.accepted('/videos/generate', request(String(index))),
    ),
  );
  const ids = accepted.map(({ id }) => String(id));
  const areOver = async () => {
    const jobs = await Promise.all(ids.map((id) => client.job(id)));
    return jobs.every((job) => job.status === 'completed');
  };
  let killed = 0;
  while (killed < kills && !(await areOver())) {
    await sleep(randomInt(...pauseMs));
    const workers = stack.workers();
    const victim = workers[randomInt(workers.length)];
    if (victim === undefined) throw new Error('no worker runs');
    process.kill(victim.pid, 'SIGKILL');
    await victim.exited;
    killed += 1;
    await stack.startWorker();
  }
  expect(killed).toBeGreaterThan(1);

  for (const id of ids) {
    await client.completed(id);
    const { bytes } = await client.call(`/jobs/${id}/download`);
    expect((await lookAtVideo(bytes, join(stack.dataDir, `${id}.mp4`))).decodingErrors).toBe('');
  }
  const videos = await stack.db.selectFrom('videos').select('job_id').execute();
  expect(videos.map((video) => video.job_id).toSorted()).toEqual(ids.toSorted());
  const attempts = await Promise.all(ids.map((id) => stack.attempts(id)));
  expect(Math.max(...attempts.flatMap((made) => [...made.values()].flat()))).toBeGreaterThan(1);
  await expectInvariants(stack);
});
