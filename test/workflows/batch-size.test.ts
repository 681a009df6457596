import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { JobProgress } from '../../workflows/contract/jobs.js';
import { grant, recipientsOf, runBatch } from './batch-lab.js';
import { createLab, until, type Lab, type RunningWorkers } from './lab.js';
import type { Call } from './sketches.js';

/** What keeps a batch small, however many recipients it has. */
let lab: Lab;
let workers: RunningWorkers | undefined;

beforeAll(async () => {
  lab = await createLab();
  await grant(lab, 1_000);
});
afterEach(async () => {
  await workers?.stop();
  workers = undefined;
});
afterAll(async () => {
  await lab.close();
});

type Events = NonNullable<Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events']>;

/** The histories of a workflow's runs, the first one first. */
async function historiesOf(id: string): Promise<Events[]> {
  const { runId } = await lab.client.getHandle(id).describe();
  const histories: Events[] = [];
  for (let at: string | null | undefined = runId; at != null && at !== '';) {
    const { events } = await lab.client.getHandle(id, at).fetchHistory();
    histories.unshift(events ?? []);
    at = events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId;
  }
  return histories;
}

/** The most children that were begun and not over at any one time. */
function mostChildren(events: Events): number {
  let open = 0;
  let most = 0;
  for (const event of events) {
    if (event.startChildWorkflowExecutionInitiatedEventAttributes != null) most = Math.max(most, (open += 1));
    if (event.childWorkflowExecutionCompletedEventAttributes != null) open -= 1;
  }
  return most;
}

function bytesOfPayloads(value: unknown): number[] {
  if (value instanceof Uint8Array) return [value.byteLength];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(bytesOfPayloads);
}

describe('a batch', () => {
  it('works on twenty recipients at once and no more', async () => {
    workers = await lab.startWorkers({ calls: [] });
    const id = await runBatch(lab, { recipients: 50 });
    expect((await lab.ended(id, 60_000)).result).toMatchObject({ delivered: 50 });
    const [events = [], ...others] = await historiesOf(id);
    expect(others).toEqual([]);
    expect(mostChildren(events)).toBe(20);
  });

  it('goes on as a new run before its history is long, and keeps what it is and how far it was', async () => {
    const calls: Call[] = [];
    workers = await lab.startWorkers({ calls });
    const recipients = 90;
    const id = await runBatch(lab, { recipients, eventsInOneRun: 100 });
    const seen: JobProgress[] = [];
    for (;;) {
      seen.push(await lab.progress(id));
      if ((await lab.readJob(id)).completed_at !== null) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const job = await lab.readJob(id);
    expect(job).toMatchObject({ status: 'completed', credits_charged: recipients, overall_progress: 100 });
    expect(job.result).toMatchObject({ delivered: recipients, failed: 0 });

    const histories = await historiesOf(id);
    expect(histories.length).toBeGreaterThanOrEqual(3);
    // Over the limit a run only sees to the end of what is in flight: nine events a recipient at most.
    for (const events of histories) expect(events.length).toBeLessThan(100 + 20 * 9 + 20);
    for (const events of histories.slice(0, -1)) {
      expect(events.at(-1)?.workflowExecutionContinuedAsNewEventAttributes).toBeTruthy();
    }
    expect(Math.max(...histories.map(mostChildren))).toBe(20);
    expect(Math.max(...histories.flatMap(bytesOfPayloads))).toBeLessThan(8 * 1024);

    // Nothing was done twice, and nothing was left out.
    const rendered = calls.filter(({ activity }) => activity === 'renderRecipient').map(({ item }) => item);
    expect(rendered.sort((a, b) => a - b)).toEqual(Array.from({ length: recipients }, (_, item) => item));
    expect(calls.filter(({ activity }) => activity === 'openBase')).toHaveLength(1);
    expect((await recipientsOf(lab, id)).every(({ status }) => status === 'completed')).toBe(true);

    // A reader never sees it go back, and sees every few recipients.
    const overall = seen.map(({ overallProgress }) => overallProgress);
    expect(overall).toEqual([...overall].sort((a, b) => a - b));
    const told = new Set(
      seen.map(({ steps }) => steps.find((step) => step.stepName === 'recipients')?.message),
    );
    expect(told.size).toBeGreaterThan(15);
    for (const { steps } of seen) {
      expect(steps[0]?.message).toBe(
        steps[0]?.status === 'completed' ? 'found by its silence' : steps[0]?.message,
      );
    }

    const { raw } = await lab.client.getHandle(id).describe();
    const info = raw.workflowExecutionInfo;
    expect(Object.keys(info?.searchAttributes?.indexedFields ?? {})).toEqual(
      expect.arrayContaining(['CallsheetJobType', 'CallsheetUserId']),
    );
    expect(Object.keys(info?.memo?.fields ?? {})).toContain('title');
    expect(info?.priority?.fairnessKey).toBe(lab.user.id);
    const one = await lab.client.getHandle(`${id}-${recipients - 1}`).describe();
    expect(one.raw.workflowExecutionInfo?.priority?.fairnessKey).toBe(lab.user.id);
  });
});

describe('a large batch', () => {
  it("of one user does not keep another's small one waiting", async () => {
    const order: string[] = [];
    workers = await lab.startWorkers({
      calls: [],
      concurrency: 2,
      override: (activities) => ({
        ...activities,
        media: {
          ...activities.media,
          renderRecipient: async (input) => {
            order.push(input.userId);
            await new Promise((resolve) => setTimeout(resolve, 150));
            return activities.media.renderRecipient(input);
          },
        },
      }),
    });
    const crowd: string[] = [];
    for (let batch = 0; batch < 5; batch += 1) crowd.push(await runBatch(lab, { recipients: 20 }));
    // A hundred recipients are under way, and nearly all wait for the media pool.
    await until(
      () => Promise.resolve(order),
      (rendered) => rendered.length >= 5,
      30_000,
    );
    const other = (await lab.createUser()).id;
    await grant(lab, 10, other);
    const small = await runBatch(lab, { recipients: 3, userId: other });
    const from = order.length;
    await lab.ended(small, 60_000);
    const before = order.slice(from);
    const waited = before.filter((user) => user !== other).length;
    expect(before.filter((user) => user === other)).toHaveLength(3);
    // In the order of their coming it would be all of the hundred. What it has is the time of the other's own steps.
    expect(waited).toBeLessThan(50);
    for (const id of crowd) await lab.client.getHandle(id).cancel();
    for (const id of crowd) await lab.ended(id, 60_000);
  });
});
