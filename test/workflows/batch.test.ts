import { CancelledFailure } from '@temporalio/common';
import { parse } from 'csv-parse/sync';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { invalidInput } from '../../activities/failures.js';
import { checkLedger } from '../../db/ledger-check.js';
import { readBalance } from '../../db/ledger.js';
import { copyUndelivered } from '../../db/recipients.js';
import { createLocalStorage } from '../../storage/local.js';
import { Sweeper } from '../../workers/sweeper.js';
import { startApi, type Json, type TestApi } from '../api/support.js';
import { readArchive } from '../support/read-archive.js';
import { acceptBatch, grant, recipientsOf, runBatch } from './batch-lab.js';
import { createLab, until, type Lab, type RunningWorkers } from './lab.js';
import type { Call, SketchOptions } from './sketches.js';

/** What becomes of a batch's recipients and of what they cost, with the real engine and records. */
let lab: Lab;
let api: TestApi;
let userId: string;
let calls: Call[];
let workers: RunningWorkers | undefined;

beforeAll(async () => {
  lab = await createLab();
  const storage = await createLocalStorage(`${lab.folder}/storage`);
  api = await startApi({ db: lab.db, namespace: lab.namespace, storage });
});
afterEach(async () => {
  await workers?.stop();
  workers = undefined;
  expect(await checkLedger(lab.db)).toEqual([]);
});
afterAll(async () => {
  await api.stop();
  await lab.close();
});

async function begin(before?: SketchOptions['before'], credits = 100): Promise<void> {
  userId = (await lab.createUser()).id;
  await grant(lab, credits, userId);
  calls = [];
  // More than a batch has in flight: those that a gate holds back must leave room for those that it lets through.
  const concurrency = 40;
  workers = await lab.startWorkers({ calls, concurrency, ...(before === undefined ? {} : { before }) });
}

const run = (recipients: number | readonly string[], more = {}): Promise<string> =>
  runBatch(lab, { recipients, userId, ...more });
const balance = () => readBalance(lab.db, userId);
const statusesOf = async (id: string) => (await recipientsOf(lab, id)).map(({ status }) => status);
const itemsOf = (activity: string): number[] =>
  calls.flatMap((call) => (call.activity === activity ? [call.item] : []));

function failFor(positions: readonly number[]): SketchOptions['before'] {
  return ({ activity, item }) => {
    if (activity === 'renderRecipient' && positions.includes(item)) {
      throw invalidInput({ code: 'words_too_long', detail: `=Too long, "${item}".` });
    }
    return Promise.resolve();
  };
}

/** Holds recipients back in their rendering until `open`, but for those that `passes`. */
function gate(passes: (position: number) => boolean = () => false) {
  let open = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  const before = async ({ activity, item }: Call, signal: AbortSignal): Promise<void> => {
    if (activity !== 'renderRecipient' || passes(item)) return;
    await Promise.race([opened, new Promise((resolve) => signal.addEventListener('abort', resolve))]);
    if (signal.aborted) throw new CancelledFailure('stopped');
  };
  return {
    before,
    open: () => {
      open();
    },
  };
}

describe('partial success', () => {
  it('three of ten fail: seven are paid for and packed, and the report says which', async () => {
    await begin(failFor([2, 5, 8]));
    const names = ['=1+1', 'Ada', '../../x', '-y', 'Zoë 👋', 'CON', 'Bo', 'Bo', 'Cy', 'Di'];
    const id = await run(names);
    const job = await lab.ended(id);

    expect(job).toMatchObject({ status: 'completed', error: null, overall_progress: 100 });
    expect(job).toMatchObject({ credits_quoted: 10, credits_charged: 7 });
    expect(job.result).toMatchObject({ delivered: 7, failed: 3, cancelled: 0 });
    expect(job.steps).toMatchObject([
      { stepName: 'preparation', status: 'completed', message: 'found by its silence' },
      { stepName: 'voices', status: 'skipped' },
      { stepName: 'recipients', status: 'completed', message: '10 of 10, 3 failed' },
      { stepName: 'packaging', status: 'completed' },
    ]);
    expect(await balance()).toEqual({ available: 93, held: 0 });
    const recipients = await recipientsOf(lab, id);
    const wanted = names.map((_, index) => ([2, 5, 8].includes(index) ? 'failed' : 'completed'));
    expect(recipients.map(({ status }) => status)).toEqual(wanted);
    expect(recipients[2]?.error).toMatchObject({ code: 'words_too_long', step: 'rendering' });

    const artifacts = await lab.artifactsOf(id);
    expect(artifacts.map(({ kind, name }) => [kind, name])).toEqual([
      ['archive', 'videos.zip'],
      ['report', 'report.csv'],
    ]);
    const [archive, report] = artifacts.map(({ artifact_id: artifact }) => artifact);
    const entries = await readArchive(await lab.artifacts.fetch(archive ?? ''));
    expect(entries.map(({ name }) => name)).toEqual([
      'report.csv',
      '0002-1-1.mp4',
      '0003-ada.mp4',
      '0005-y.mp4',
      '0006-zoë.mp4',
      '0008-bo.mp4',
      '0009-bo.mp4',
      '0011-di.mp4',
    ]);
    expect(entries[0]?.bytes).toEqual(await lab.artifacts.readBytes(report ?? ''));
    // Each file is its own recipient's.
    expect(entries[1]?.bytes.toString()).toContain(`${id} 0 says`);
    expect(entries.at(-1)?.bytes.toString()).toContain(`${id} 9 says`);
    const rows: string[][] = parse(entries[0]?.bytes ?? '', { bom: true });
    expect(rows).toHaveLength(11);
    expect(rows[0]).toEqual(['row', 'name', 'file', 'status', 'error']);
    expect(rows[1]).toEqual(['2', "'=1+1", '0002-1-1.mp4', 'delivered', '']);
    expect(rows[3]).toEqual(['4', '../../x', '', 'failed', 'words_too_long: =Too long, "2".']);
  });

  it('none can be delivered: the job fails, says so, and costs nothing', async () => {
    await begin(failFor([0, 1, 2]));
    const id = await run(3);
    const job = await lab.ended(id);
    expect(job).toMatchObject({ status: 'failed', credits_charged: 0 });
    expect(job.error).toMatchObject({ code: 'no_recipient_delivered', retryable: true });
    expect(job.result).toEqual({ delivered: 0, failed: 3, cancelled: 0 });
    expect(await statusesOf(id)).toEqual(['failed', 'failed', 'failed']);
    expect(await balance()).toEqual({ available: 100, held: 0 });
    expect(await lab.artifactsOf(id)).toEqual([]);
  });

  it('those that failed are made again as a job of their own, with their rows and words', async () => {
    await begin(failFor([1, 3]));
    const first = await run(['Ada', 'Bo', 'Cy', 'Di']);
    await lab.ended(first);
    await workers?.stop();
    calls = [];
    workers = await lab.startWorkers({ calls });
    const again = await acceptBatch(lab, { recipients: 2, userId });
    await lab.db.deleteFrom('job_recipients').where('job_id', '=', again).execute();
    const stranger = (await lab.createUser()).id;
    await copyUndelivered(lab.db, { from: first, to: again, userId: stranger });
    expect(await recipientsOf(lab, again)).toEqual([]);
    await copyUndelivered(lab.db, { from: first, to: again, userId });
    await lab.submit(again);
    expect((await lab.ended(again)).result).toMatchObject({ delivered: 2, failed: 0 });
    expect(await recipientsOf(lab, again)).toMatchObject([
      { name: 'Bo', row_number: 3, file_name: '0003-bo.mp4', fields: { name: 'Bo' } },
      { name: 'Di', row_number: 5, file_name: '0005-di.mp4' },
    ]);
    expect(await balance()).toEqual({ available: 96, held: 0 });
  });

  it('a recipient whose work an operator ends counts as failed, and the batch goes on', async () => {
    const { before, open } = gate((position) => position !== 1);
    await begin(before);
    const id = await run(3);
    await until(
      () => Promise.resolve(itemsOf('renderRecipient')),
      (items) => items.includes(1),
      20_000,
    );
    await lab.client.getHandle(`${id}-1`).terminate('by hand');
    const job = await lab.ended(id);
    open();
    expect(job).toMatchObject({ status: 'completed', credits_charged: 2 });
    expect(await recipientsOf(lab, id)).toMatchObject([
      { status: 'completed' },
      { status: 'failed', error: { code: 'interrupted', retryable: true } },
      { status: 'completed' },
    ]);
    expect(await balance()).toEqual({ available: 98, held: 0 });
  });

  it('one that was ended from outside after its delivery stays delivered', async () => {
    await begin();
    await workers?.stop();
    let held: () => void = () => undefined;
    workers = await lab.startWorkers({
      calls,
      override: ({ orchestration, ...others }) => ({
        ...others,
        orchestration: {
          ...orchestration,
          endRecipient: async (input) => {
            const outcome = await orchestration.endRecipient(input);
            // The first answer is lost with its workflow.
            if (input.position === 0 && input.outcome.status === 'delivered') {
              await new Promise<void>((resolve) => (held = resolve));
            }
            return outcome;
          },
        },
      }),
    });
    const id = await run(2);
    await until(
      () => statusesOf(id),
      (statuses) => statuses.every((status) => status === 'completed'),
      20_000,
    );
    await lab.client.getHandle(`${id}-0`).terminate('by hand');
    const job = await lab.ended(id);
    held();
    expect(job.result).toMatchObject({ delivered: 2, failed: 0 });
    expect(job.credits_charged).toBe(2);
  });

  it('words that cannot be said together are said singly', async () => {
    await begin(({ activity }) => {
      if (activity === 'speakBatch') throw invalidInput({ code: 'voice_refused', detail: 'Too long.' });
      return Promise.resolve();
    });
    const batch = { enabled: true, splitSilenceDb: -40, splitSilenceSeconds: 0.18, gapHint: null };
    const id = await run(30, { options: { batch } });
    expect((await lab.ended(id)).result).toMatchObject({ delivered: 30, failed: 0 });
    expect(itemsOf('speakBatch').sort((a, b) => a - b)).toEqual([0, 25]);
    expect(itemsOf('speakRecipient')).toHaveLength(30);
  });

  it('mouths are moved where the mode wants it, one clip a span', async () => {
    await begin();
    const span = { startSeconds: 1, endSeconds: 2, text: '{name}' };
    const spans = [span, { ...span, startSeconds: 3, endSeconds: 4 }];
    const id = await run(2, { options: { insertMode: 'platinum', spans } });
    expect((await lab.ended(id)).status).toBe('completed');
    expect(itemsOf('moveMouth').sort()).toEqual([0, 0, 1, 1]);
  });
});

it('the API tells how many are done, live and at the end, and names no archive where there is none', async () => {
  const { before } = gate((position) => position < 2);
  await begin((call, signal) => {
    if (call.activity === 'renderRecipient' && call.item === 1) {
      throw invalidInput({ code: 'words_too_long', detail: 'Too long.' });
    }
    return before(call, signal);
  });
  const user = await api.register();
  const read = async (): Promise<Json> => (await api.call(`/api/v1/jobs/${id}`, { token: user.token })).json;
  const id = await run(4, { userId: user.id });
  const live = await until(read, ({ steps }) => steps[2]?.message === '2 of 4, 1 failed', 20_000);
  expect(live).toMatchObject({ status: 'in_progress', currentStep: 'recipients', result: null });
  expect(live.steps[2].progress).toBe(50);
  await api.call(`/api/v1/jobs/${id}`, { method: 'DELETE', token: user.token });
  await lab.ended(id);
  expect(await read()).toMatchObject({ status: 'cancelled', credits: { quoted: 4, charged: 1 } });
  expect((await read()).result).toEqual({ delivered: 1, failed: 1, cancelled: 2 });
});

describe('a retry of a batch that has no archive', () => {
  const retry = (id: string, token: string) =>
    api.call(`/api/v1/jobs/${id}/retry`, { method: 'POST', token });

  const namesIn = async (id: string): Promise<string[]> => {
    const archive = (await lab.artifactsOf(id)).find(({ kind }) => kind === 'archive');
    const entries = await readArchive(await lab.artifacts.fetch(archive?.artifact_id ?? ''));
    return entries.map(({ name }) => name);
  };

  it('packs what was delivered and paid when its packing failed, at no charge', async () => {
    await begin();
    await workers?.stop();
    let isFull = true;
    workers = await lab.startWorkers({
      calls,
      override: ({ media, ...others }) => ({
        ...others,
        media: {
          ...media,
          packageBatch: (input) => {
            if (isFull) throw invalidInput({ code: 'disk_full', detail: 'There is no room.' });
            return media.packageBatch(input);
          },
        },
      }),
    });
    const { id: owner, token } = await api.register();
    const first = await run(['Ada', 'Bo'], { userId: owner });
    const failed = await lab.ended(first);
    expect(failed).toMatchObject({ status: 'failed', credits_charged: 2, error: { step: 'packaging' } });
    const paid = await readBalance(lab.db, owner);

    // However often it fails.
    const second = (await retry(first, token)).json.id;
    expect((await lab.ended(second)).status).toBe('failed');
    isFull = false;
    const answer = await retry(second, token);
    expect([answer.status, answer.json.credits]).toEqual([202, { quoted: 0, charged: 0 }]);
    const job = await lab.ended(answer.json.id);
    expect(job).toMatchObject({ status: 'completed', credits_charged: 0, overall_progress: 100 });
    expect(job.result).toMatchObject({ delivered: 2, failed: 0 });
    expect(job.steps.map(({ status }) => status)).toEqual(['skipped', 'skipped', 'skipped', 'completed']);
    expect(await namesIn(job.id)).toEqual(['report.csv', '0002-ada.mp4', '0003-bo.mp4']);
    expect(itemsOf('renderRecipient')).toHaveLength(2);
    expect(await readBalance(lab.db, owner)).toEqual(paid);
    expect((await retry(job.id, token)).json.code).toBe('job_not_retryable');
    const only = { method: 'POST', token, body: { only: 'failed' } };
    expect((await api.call(`/api/v1/jobs/${job.id}/retry`, only)).json.code).toBe('job_not_retryable');
  });

  it('makes the rest of a cancelled one and packs it with what was delivered, in the order of its file', async () => {
    const { before, open } = gate((position) => position === 1 || position === 2);
    await begin(before);
    const { id: owner, token } = await api.register();
    const first = await run(['Ada', 'Bo', 'Cy', 'Di'], { userId: owner });
    await until(
      () => statusesOf(first),
      (statuses) => statuses.filter((status) => status === 'completed').length === 2,
      20_000,
    );
    await api.call(`/api/v1/jobs/${first}`, { method: 'DELETE', token });
    expect(await lab.ended(first)).toMatchObject({ status: 'cancelled', credits_charged: 2 });
    open();
    const answer = await retry(first, token);
    expect(answer.json.credits).toEqual({ quoted: 2, charged: 0 });
    const job = await lab.ended(answer.json.id);
    expect(job).toMatchObject({ status: 'completed', credits_charged: 2 });
    expect(job.result).toMatchObject({ delivered: 4, failed: 0 });
    expect(await namesIn(job.id)).toEqual([
      ...['report.csv', '0002-ada.mp4', '0003-bo.mp4', '0004-cy.mp4', '0005-di.mp4'],
    ]);
    const list = await api.call(`/api/v1/jobs/${job.id}/recipients`, { token });
    expect(list.json.items.map((one: Json) => [one.name, one.status])).toEqual([
      ...['Ada', 'Di', 'Bo', 'Cy'].map((name) => [name, 'completed']),
    ]);
    const [{ file }] = list.json.items.slice(2);
    expect((await api.call(file.url, { token })).text).toContain(`${first} 1 says`);
    expect(itemsOf('speakRecipient').toSorted()).toEqual([0, 0, 1, 1, 2, 3]);
  });

  it('packs what was delivered though nothing more can be', async () => {
    await begin(failFor([0, 1]));
    const id = await run(2, { takenOver: 1 });
    const job = await lab.ended(id);
    expect(job).toMatchObject({ status: 'completed', credits_charged: 0 });
    expect(job.result).toMatchObject({ delivered: 1, failed: 2 });
    expect(await namesIn(id)).toEqual(['report.csv', '2.mp4']);
  });
});

describe('cancel', () => {
  it('starts nothing new, ends what is in flight, and leaves what was delivered delivered and paid', async () => {
    const { before } = gate((position) => position < 5);
    await begin(before);
    const id = await run(60);
    // Five are delivered; the window is full of others.
    await until(
      () => statusesOf(id),
      (statuses) =>
        statuses.filter((status) => status === 'completed').length === 5 &&
        statuses.filter((status) => status === 'in_progress').length === 20,
      30_000,
    );
    const cancelledAt = Date.now();
    await lab.client.getHandle(id).cancel();
    const job = await lab.ended(id);
    expect(Date.now() - cancelledAt).toBeLessThan(10_000);
    expect(job).toMatchObject({ status: 'cancelled', error: null, credits_charged: 5 });
    expect(job.result).toEqual({ delivered: 5, failed: 0, cancelled: 55 });
    expect(await balance()).toEqual({ available: 95, held: 0 });
    const statuses = await statusesOf(id);
    expect(statuses.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => 'completed'));
    expect(new Set(statuses.slice(5))).toEqual(new Set(['cancelled']));
    const started = (await recipientsOf(lab, id)).flatMap(({ started_at: at }) => (at === null ? [] : [at]));
    expect(Math.max(...started.map((at) => at.getTime()))).toBeLessThan(cancelledAt + 5_000);
    expect(started).toHaveLength(25);
    for (let position = 5; position < 25; position += 1) {
      const { status } = await lab.client.getHandle(`${id}-${position}`).describe();
      expect(status.name).toBe('CANCELLED');
    }
    const before60 = calls.length;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(calls).toHaveLength(before60);
  });

  it('that comes when a run is about to go on as a new one is not lost with it', async () => {
    const { before } = gate((position) => position < 2);
    await begin(before);
    const id = await run(40, { eventsInOneRun: 20 });
    await until(
      () => Promise.resolve(itemsOf('renderRecipient')),
      (items) => items.length >= 5,
      20_000,
    );
    await lab.client.getHandle(id).cancel();
    expect((await lab.ended(id)).status).toBe('cancelled');
    expect(await balance()).toMatchObject({ held: 0 });
  });

  it('a batch that an operator terminates gives back what was not delivered', async () => {
    const { before, open } = gate((position) => position < 2);
    await begin(before);
    const id = await run(6);
    await until(
      () => statusesOf(id),
      (statuses) => statuses.filter((status) => status === 'completed').length === 2,
      20_000,
    );
    await lab.client.getHandle(id).terminate('by hand');
    const at = new Date(Date.now() - 60_000);
    await lab.db.updateTable('jobs').set({ submitted_at: at }).where('id', '=', id).execute();
    const { db, client, logger } = lab;
    await new Sweeper({ db, client, logger, intervalSeconds: 1, graceSeconds: 0 }).sweep();
    const job = await lab.ended(id);
    expect(job).toMatchObject({ status: 'failed', credits_charged: 2 });
    expect(job.result).toEqual({ delivered: 2, failed: 0, cancelled: 4 });
    expect(await balance()).toEqual({ available: 98, held: 0 });
    open();
    // Its recipients' workflows end with it.
    for (let position = 2; position < 6; position += 1) {
      const handle = lab.client.getHandle(`${id}-${position}`);
      await until(
        () => handle.describe(),
        ({ status }) => status.name !== 'RUNNING',
        20_000,
      );
    }
    expect(await balance()).toEqual({ available: 98, held: 0 });
  });
});
