import { beforeAll, expect, it } from 'vitest';
import { invalidInput } from '../../activities/failures.js';
import { grant, runBatch } from '../workflows/batch-lab.js';
import type { SketchOptions } from '../workflows/sketches.js';
import { begin, busyOnce, failAt, keep, keepHistory, lab, seen, waitAt } from './recorder.js';

/** Batches, their recipients and the jobs of one media step. Not part of the suite: see record.ts. */
beforeAll(async () => {
  await grant(lab, 1_000);
});

it('personalized-finished', async () => {
  await begin();
  const id = await runBatch(lab, { recipients: 3 });
  await keep('personalized-finished', id);
  await keepHistory('recipient-finished', `${id}-0`);
});

it('personalized-diamond-spoken-together-finished', async () => {
  await begin();
  const batch = { enabled: true, splitSilenceDb: -40, splitSilenceSeconds: 0.18, gapHint: null };
  const id = await runBatch(lab, { recipients: 30, options: { insertMode: 'diamond', batch } });
  await keep('personalized-diamond-spoken-together-finished', id);
  await keepHistory('recipient-diamond-finished', `${id}-29`);
});

it('personalized-retried', async () => {
  await begin(busyOnce('openBase'));
  await keep('personalized-retried', await runBatch(lab, { recipients: 2 }));
});

it('recipient-retried', async () => {
  await begin(busyOnce('speakRecipient'));
  const id = await runBatch(lab, { recipients: 1 });
  await keep('personalized-of-one-finished', id);
  await keepHistory('recipient-retried', `${id}-0`);
});

it('personalized-some-failed', async () => {
  const before: SketchOptions['before'] = ({ activity, item }) => {
    if (activity !== 'renderRecipient' || item !== 1) return Promise.resolve();
    throw invalidInput({ code: 'words_too_long', detail: 'Too long.' });
  };
  await begin(before);
  const id = await runBatch(lab, { recipients: 3 });
  await keep('personalized-some-failed', id);
  await keepHistory('recipient-failed', `${id}-1`);
});

it('personalized-failed', async () => {
  await begin(failAt('renderRecipient'));
  await keep('personalized-failed', await runBatch(lab, { recipients: 2 }));
});

it('personalized-base-refused-failed', async () => {
  await begin(failAt('openBase'));
  await keep('personalized-base-refused-failed', await runBatch(lab, { recipients: 2 }));
});

it('personalized-recipient-terminated', async () => {
  await begin(waitAt('renderRecipient'));
  const id = await runBatch(lab, { recipients: 1 });
  await seen('renderRecipient');
  await lab.client.getHandle(`${id}-0`).terminate('by hand');
  await keep('personalized-recipient-terminated', id);
});

it('personalized-cancelled', async () => {
  await begin(waitAt('renderRecipient'));
  const id = await runBatch(lab, { recipients: 25 });
  await seen('renderRecipient');
  await lab.client.getHandle(id).cancel();
  await keep('personalized-cancelled', id);
  await keepHistory('recipient-cancelled', `${id}-0`);
});

it('personalized-taken-over', async () => {
  await begin(failAt('renderRecipient'));
  await keep('personalized-taken-over-finished', await runBatch(lab, { recipients: 2, takenOver: 2 }));
  await keep('personalized-packed-again-finished', await runBatch(lab, { recipients: 0, takenOver: 2 }));
});

it('personalized-continued', async () => {
  await begin();
  const id = await runBatch(lab, { recipients: 45, eventsInOneRun: 60 });
  const { runId: first } = await lab.client.getHandle(id).describe();
  await keep('personalized-continued-last-finished', id);
  await keepHistory('personalized-continued-first', id, first);
  expect((await lab.client.getHandle(id).describe()).runId).not.toBe(first);
});

const media = {
  conversion: {
    source: `${'a'.repeat(64)}.mov`,
    options: { crf: 20, preset: 'medium', audioBitRate: 160_000, container: 'mp4' },
  },
  lipsync: { video: `${'a'.repeat(64)}.mp4`, audio: `${'b'.repeat(64)}.wav`, provider: 'viseme' },
};

for (const [type, activity] of [
  ['conversion', 'convertVideo'],
  ['lipsync', 'syncLips'],
] as const) {
  const run = async (): Promise<string> => {
    const id = await lab.acceptJob(type, media[type]);
    await lab.submit(id);
    return id;
  };

  it(`${type}-finished`, async () => {
    await begin();
    await keep(`${type}-finished`, await run());
  });

  it(`${type}-retried`, async () => {
    await begin(busyOnce(activity));
    await keep(`${type}-retried`, await run());
  });

  it(`${type}-failed`, async () => {
    await begin(failAt(activity));
    await keep(`${type}-failed`, await run());
  });

  it(`${type}-cancelled`, async () => {
    await begin(waitAt(activity));
    const id = await run();
    await seen(activity);
    await lab.client.getHandle(id).cancel();
    await keep(`${type}-cancelled`, id);
  });
}
