import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { jobDocument } from '../../db/job-document.js';
import { readWebhookSecret } from '../../db/webhook-secrets.js';
import { Sweeper } from '../../workers/sweeper.js';
import { webhookId } from '../../workflows/contract/webhooks.js';
import { startWebhook } from '../../workflows/start-webhook.js';
import {
  startWebhookReceiver,
  verifyWebhook,
  type WebhookReceiver,
} from '../support/wire/webhook-receiver.js';
import { createLab, options, until, type Lab, type RunningWorkers } from './lab.js';

let lab: Lab;
let sweeper: Sweeper;
let workers: RunningWorkers;
let receiver: WebhookReceiver;
let secret: string;

beforeAll(async () => {
  lab = await createLab();
  const { db, client, logger } = lab;
  sweeper = new Sweeper({ db, client, logger, intervalSeconds: 1, graceSeconds: 0 });
  workers = await lab.startWorkers({ calls: [] });
  ({ secret } = await readWebhookSecret(lab.db, lab.user.id));
});
afterAll(async () => {
  await workers.stop();
  await lab.close();
});
beforeEach(async () => {
  receiver = await startWebhookReceiver();
});
afterEach(() => receiver.close());

const stage = {
  stage: 'content',
  options,
  content: null,
  script: null,
  pictures: [],
  voices: [],
  captions: null,
};

async function acceptWithCallback(path = '/in?key=abc'): Promise<string> {
  const id = await lab.acceptJob('stage', stage, { ageSeconds: 10 });
  await lab.db
    .updateTable('jobs')
    .set({ callback_url: `${receiver.url}${path}` })
    .where('id', '=', id)
    .execute();
  return id;
}

const arrived = (count = 1) =>
  until(
    () => Promise.resolve(receiver.received),
    (all) => all.length >= count,
    30_000,
  );
const statusOf = async (jobId: string) =>
  (await lab.client.getHandle(webhookId(jobId)).describe()).status.name;

describe('the end of a job', () => {
  it('is told once, signed, with the job as the API shows it', async () => {
    const id = await acceptWithCallback();
    await lab.submit(id);
    const ended = await lab.ended(id);
    expect(receiver.received).toEqual([]);
    await Promise.all([sweeper.sweep(), sweeper.sweep()]);
    const [message] = await arrived();
    if (message === undefined) throw new Error('no message');
    expect([message.method, message.path]).toEqual(['POST', '/in?key=abc']);
    expect(message.headers['content-type']).toBe('application/json');
    const { id: messageId, payload } = verifyWebhook(message, secret);
    expect(messageId).toBe(webhookId(id));
    const job = jobDocument(ended);
    expect(job.status).toBe('completed');
    expect(payload).toEqual({ type: 'job.completed', timestamp: job.completedAt, data: job });

    await lab.client.getHandle(webhookId(id)).result();
    await sweeper.sweep();
    await startWebhook(lab.client, { jobId: id, userId: lab.user.id });
    await sweeper.sweep();
    expect(receiver.received).toHaveLength(1);
    const { events } = await lab.client.getHandle(webhookId(id)).fetchHistory();
    const history = JSON.stringify(events, (_key, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
    );
    expect(history).toContain(id);
    for (const kept of [secret, 'key=abc', receiver.url]) expect(history).not.toContain(kept);
  });

  it('is told of a job that no workflow ever had, and of one whose workflow was terminated', async () => {
    const never = await acceptWithCallback();
    await lab.db
      .updateTable('jobs')
      .set({ cancel_requested_at: new Date(Date.now() - 60_000) })
      .where('id', '=', never)
      .execute();
    await sweeper.sweep();
    const [cancelled] = await arrived();
    if (cancelled === undefined) throw new Error('no message');
    expect(verifyWebhook(cancelled, secret).payload).toMatchObject({
      type: 'job.cancelled',
      data: { id: never, status: 'cancelled' },
    });

    const lost = await lab.acceptJob('explainer', {
      options: { ...options, review: 'script' },
      videoId: null,
    });
    await lab.db.updateTable('jobs').set({ callback_url: receiver.url }).where('id', '=', lost).execute();
    await lab.submit(lost);
    await lab.reached(lost, 'awaiting_approval');
    await lab.client.getHandle(lost).terminate('by an operator');
    await sweeper.sweep();
    await sweeper.sweep();
    const [, failed] = await arrived(2);
    if (failed === undefined) throw new Error('no second message');
    expect(verifyWebhook(failed, secret).payload).toMatchObject({
      type: 'job.failed',
      data: { id: lost, error: { code: 'workflow_terminated' } },
    });
  });

  it('is told again until somebody takes it, and never by a redirect', async () => {
    const inside = await startWebhookReceiver();
    const id = await acceptWithCallback();
    receiver.turns.push(
      { cut: true },
      { status: 500, headers: { 'retry-after': '1' } },
      { status: 302, headers: { location: `${inside.url}/in`, 'retry-after': '1' } },
    );
    await lab.submit(id);
    await lab.ended(id);
    await sweeper.sweep();
    // The first pause is ours, the others are the receiver's own.
    const messages = await until(
      () => Promise.resolve(receiver.received),
      (all) => all.length >= 4,
      60_000,
    );
    expect(inside.connections()).toBe(0);
    await inside.close();
    const told = messages.map((message) => verifyWebhook(message, secret));
    expect(new Set(told.map((one) => one.id)).size).toBe(1);
    expect(new Set(messages.map((message) => message.body)).size).toBe(1);
    expect(await lab.client.getHandle(webhookId(id)).result()).toEqual({ status: 204 });
    expect((await lab.readJob(id)).status).toBe('completed');
  });

  it('is not told any more to who says that it is gone', async () => {
    const id = await acceptWithCallback();
    receiver.turns.push({ status: 410 });
    await lab.submit(id);
    await lab.ended(id);
    await sweeper.sweep();
    await expect(lab.client.getHandle(webhookId(id)).result()).rejects.toThrow();
    expect(await statusOf(id)).toBe('FAILED');
    expect(receiver.received).toHaveLength(1);
  });

  it('waits in the outbox while the engine is away or refuses', async () => {
    const id = await acceptWithCallback();
    await lab.db
      .updateTable('jobs')
      .set({ status: 'failed', completed_at: new Date() })
      .where('id', '=', id)
      .execute();
    const { db, logger, client } = lab;
    const away = Object.create(client, {
      start: { value: () => Promise.reject(new Error('away')) },
    }) as typeof client;
    await new Sweeper({ db, client: away, logger, intervalSeconds: 1, graceSeconds: 0 }).sweep();
    expect((await lab.readJob(id)).webhook_started_at).toBeNull();
    await sweeper.sweep();
    expect((await lab.readJob(id)).webhook_started_at).not.toBeNull();
    await arrived();
  });
});
