import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { transientFailure } from '../../activities/failures.js';
import { webhookId } from '../../workflows/contract/webhooks.js';
import { startWebhook } from '../../workflows/start-webhook.js';
import {
  startWebhookReceiver,
  type ReceiverTurn,
  type WebhookReceiver,
} from '../support/wire/webhook-receiver.js';
import { options, until } from '../workflows/lab.js';
import type { Call } from '../workflows/sketches.js';
import { begin, failAt, keep, keepHistory, lab, seen, waitAt } from './recorder.js';

/** Each test records one history. Not part of the suite: see record.ts. */
const retryOnce = () => {
  let isFirst = true;
  return ({ activity, item }: Call): Promise<void> => {
    if (activity !== 'speakScene' || item !== 2 || !isFirst) return Promise.resolve();
    isFirst = false;
    throw transientFailure({ code: 'voice_busy', detail: 'The voice is busy.', retryAfterSeconds: 0.1 });
  };
};

const reviewed = { options: { ...options, review: 'script' as const } };

it('explainer-finished', async () => {
  await begin();
  await keep('explainer-finished', await lab.runExplainer());
});

it('explainer-retried', async () => {
  await begin(retryOnce());
  await keep('explainer-retried', await lab.runExplainer());
});

it('explainer-failed', async () => {
  await begin(failAt('renderSegment'));
  await keep('explainer-failed', await lab.runExplainer());
});

it('explainer-cancelled', async () => {
  await begin(waitAt('renderSegment'));
  const id = await lab.runExplainer();
  await seen('renderSegment');
  await lab.client.getHandle(id).cancel();
  await keep('explainer-cancelled', id);
});

it('explainer-approved-with-edits', async () => {
  await begin();
  const id = await lab.runExplainer(reviewed);
  await lab.reached(id, 'awaiting_approval');
  const edits = JSON.stringify([{ number: 1, heading: 'Edited' }]);
  await lab.db.updateTable('jobs').set({ edits }).where('id', '=', id).execute();
  await lab.approve(id, { approved: true, hasEdits: true });
  await keep('explainer-approved-with-edits', id);
});

it('explainer-reviewed-again', async () => {
  await begin();
  // The edits of a job that was approved before, as its retry has them from the start.
  const id = await lab.runExplainer(reviewed, { edits: [{ number: 1, heading: 'Edited' }] });
  await lab.reached(id, 'awaiting_approval');
  await lab.approve(id, { approved: true, hasEdits: true });
  await keep('explainer-reviewed-again', id);
});

it('explainer-rejected', async () => {
  await begin();
  const id = await lab.runExplainer(reviewed);
  await lab.reached(id, 'awaiting_approval');
  await lab.approve(id, { approved: false, hasEdits: false });
  await keep('explainer-rejected', id);
});

it('explainer-scene-edited', async () => {
  await begin();
  const first = await lab.ended(await lab.runExplainer());
  const videoId = String(first.result?.['videoId']);
  const edits = [{ number: 2, narration: 'Edited.' }];
  await keep('explainer-scene-edited', await lab.runExplainer({ videoId }, { edits, videoId }));
});

it('stages', async () => {
  await begin();
  const artifactsOf = async (id: string, kind: string) =>
    (await lab.artifactsOf(id)).filter((named) => named.kind === kind).map((named) => named.artifact_id);
  const one = (ids: string[]) => ids[0] ?? '';

  const content = await lab.runStage({ stage: 'content' });
  await keep('stage-content-finished', content);
  const scripts = await lab.runStage({
    stage: 'scripts',
    content: one(await artifactsOf(content, 'content')),
  });
  await keep('stage-scripts-finished', scripts);
  const script = one(await artifactsOf(scripts, 'script'));
  const images = await lab.runStage({ stage: 'images', script });
  await keep('stage-images-finished', images);
  const voices = await lab.runStage({ stage: 'voices', script });
  await keep('stage-voices-finished', voices);
  const spoken = await artifactsOf(voices, 'voice');
  const captions = await lab.runStage({ stage: 'captions', script, voices: spoken });
  await keep('stage-captions-finished', captions);
  const assembly = await lab.runStage({
    stage: 'assembly',
    pictures: await artifactsOf(images, 'picture'),
    voices: spoken,
    captions: one(await artifactsOf(captions, 'captions')),
  });
  await keep('stage-assembly-finished', assembly);
  expect((await lab.readJob(assembly)).status).toBe('completed');
});

it('stage-retried', async () => {
  let isFirst = true;
  await begin(() => {
    if (!isFirst) return Promise.resolve();
    isFirst = false;
    throw transientFailure({ code: 'busy', detail: 'Busy.', retryAfterSeconds: 0.1 });
  });
  await keep('stage-retried', await lab.runStage({ stage: 'content' }));
});

it('stage-failed', async () => {
  await begin(failAt('writeContent'));
  await keep('stage-failed', await lab.runStage({ stage: 'content' }));
});

it('stage-cancelled', async () => {
  await begin(waitAt('writeContent'));
  const id = await lab.runStage({ stage: 'content' });
  await seen('writeContent');
  await lab.client.getHandle(id).cancel();
  await keep('stage-cancelled', id);
});

describe('webhook', () => {
  let receiver: WebhookReceiver;
  beforeAll(async () => {
    receiver = await startWebhookReceiver();
  });
  afterAll(() => receiver.close());

  /** Of a job that is over; gives the id of the workflow. */
  async function tell(...turns: ReceiverTurn[]): Promise<string> {
    await begin();
    const jobId = await lab.acceptJob('stage', {});
    await lab.db
      .updateTable('jobs')
      .set({ status: 'completed', completed_at: new Date(), callback_url: receiver.url })
      .where('id', '=', jobId)
      .execute();
    receiver.turns.push(...turns);
    await startWebhook(lab.client, { jobId, userId: lab.user.id });
    return webhookId(jobId);
  }

  it('webhook-finished', async () => {
    await keepHistory('webhook-finished', await tell());
  });

  it('webhook-retried', async () => {
    await keepHistory('webhook-retried', await tell({ status: 503, headers: { 'retry-after': '1' } }));
  });

  it('webhook-failed', async () => {
    await keepHistory('webhook-failed', await tell({ status: 410 }));
  });

  it('webhook-cancelled', async () => {
    const before = receiver.received.length;
    const id = await tell({ status: 500 });
    await until(
      () => Promise.resolve(receiver.received),
      (received) => received.length > before,
      15_000,
    );
    await lab.client.getHandle(id).cancel();
    await keepHistory('webhook-cancelled', id);
  });
});
