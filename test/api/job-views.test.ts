import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createJobViews } from '../../api/job-views.js';
import type { JobsClient, LiveProgress } from '../../api/jobs-client.js';
import type { Db } from '../../db/database.js';
import { createLogger } from '../../logger.js';
import type { JobStatus } from '../../workflows/contract/jobs.js';
import { createTestDatabase } from '../support/services.js';

/** Views of jobs of an engine whose answers take as long as a test wants. */
let db: Db;
let close: () => Promise<void>;
let userId: string;
beforeAll(async () => {
  const database = await createTestDatabase();
  ({ db } = database);
  close = () => database.drop();
  const user = { email: `${randomUUID()}@example.org`, password_hash: 'none' };
  ({ id: userId } = await db.insertInto('users').values(user).returning('id').executeTakeFirstOrThrow());
});
afterAll(() => close());

async function runningJob(): Promise<string> {
  const id = randomUUID();
  await db
    .insertInto('jobs')
    .values({
      ...{ id, user_id: userId, type: 'stage', status: 'in_progress', submitted_at: new Date() },
      ...{ parameters: '{}', workflow_input: '{}', edits: '[]', steps: '[]' },
    })
    .execute();
  return id;
}

function engine(answer: () => { status: JobStatus; overallProgress: number; afterMs: number }) {
  let questions = 0;
  const refuse = () => Promise.reject(new Error('not asked for here'));
  const jobs: JobsClient = {
    ...{ start: refuse, cancel: refuse, approve: refuse, backlogs: refuse, check: refuse, close: refuse },
    async progress(): Promise<LiveProgress> {
      questions += 1;
      const { status, overallProgress, afterMs } = answer();
      await sleep(afterMs);
      return {
        progress: { status, overallProgress, steps: [], weights: [], parallelItems: {} },
        pending: [],
      };
    },
  };
  const views = createJobViews({ db, jobs, logger: createLogger({ level: 'silent', name: 'test' }) });
  return { views, questions: () => questions };
}

async function timed<T>(work: () => Promise<T>): Promise<{ value: T; ms: number }> {
  const from = performance.now();
  const value = await work();
  return { value, ms: performance.now() - from };
}

it('a slow engine keeps no reader waiting, is asked once for all, and is heard by the next', async () => {
  const { views, questions } = engine(() => ({ status: 'in_progress', overallProgress: 40, afterMs: 1_500 }));
  const id = await runningJob();
  await views.get(userId, randomUUID());
  for (let i = 0; i < 3; i++) {
    const { value, ms } = await timed(() => views.get(userId, id));
    expect(value?.overallProgress).toBe(0);
    expect(ms).toBeLessThan(150);
    await sleep(110);
  }
  expect(questions()).toBe(1);
  await vi.waitFor(async () => expect((await views.get(userId, id))?.overallProgress).toBe(40), 10_000);
});

it('what is shown never goes down, whichever answer comes last', async () => {
  const said = [30, 70, 50, 60];
  const { views } = engine(() => ({
    ...{
      status: 'in_progress',
      overallProgress: said.shift() ?? 65,
      afterMs: said.length % 2 === 0 ? 5 : 80,
    },
  }));
  const id = await runningJob();
  const shown: number[] = [];
  for (let i = 0; i < 14; i++) {
    shown.push((await views.get(userId, id))?.overallProgress ?? -1);
    await sleep(110);
  }
  expect(shown).toEqual(shown.toSorted((a, b) => a - b));
  expect(shown.at(-1)).toBe(70);
});

it('an end in the row is seen within moments, however slow the engine', async () => {
  const { views } = engine(() => ({ status: 'in_progress', overallProgress: 10, afterMs: 1_500 }));
  const id = await runningJob();
  await views.get(userId, id);
  await db.updateTable('jobs').set({ status: 'failed' }).where('id', '=', id).execute();
  const endedAt = performance.now();
  while ((await views.get(userId, id))?.status !== 'failed') await sleep(10);
  expect(performance.now() - endedAt).toBeLessThan(400);
});
