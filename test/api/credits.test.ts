import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grantCredits } from '../../db/credits.js';
import { checkLedger } from '../../db/ledger-check.js';
import { startApi, type Answer, type Json, type TestApi } from './support.js';

let api: TestApi;

beforeAll(async () => {
  api = await startApi({ signupCredits: 10 });
});
afterAll(() => api.stop());

type User = Awaited<ReturnType<TestApi['register']>>;

const generate = (user: User, headers: Record<string, string> = {}, prompt = `Tides ${randomUUID()}`) =>
  api.call('/api/v1/videos/generate', { token: user.token, body: { prompt }, headers });
const get = async (user: User, path: string): Promise<Json> =>
  (await api.call(`/api/v1${path}`, { token: user.token })).json;
const balanceOf = (user: User): Promise<Json> => get(user, '/credits/balance');
const jobsOf = (user: User) => api.db.selectFrom('jobs').selectAll().where('user_id', '=', user.id).execute();
const openHoldsOf = (user: User) =>
  api.db.selectFrom('credit_open_holds').selectAll().where('user_id', '=', user.id).execute();
const grant = (user: User, amount: number) =>
  api.db
    .transaction()
    .execute((trx) =>
      grantCredits(trx, { userId: user.id, amount, reason: 'a gift', actorId: null, key: randomUUID() }),
    );
const count = (answers: Answer[], status: number) =>
  answers.filter((answer) => answer.status === status).length;

describe('an account', () => {
  it('begins with its credits, which its profile and its entries show', async () => {
    const user = await api.register();
    expect(await balanceOf(user)).toEqual({ balance: 10, held: 0, available: 10 });
    expect((await get(user, '/users/me')).credits).toBe(10);
    const { items } = await get(user, '/credits/entries');
    expect(items).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        kind: 'grant',
        available: 10,
        held: 0,
        jobId: null,
        item: null,
        reason: 'credits to begin with',
        createdAt: expect.stringMatching(/Z$/),
      },
    ]);
    const audit = await api.db
      .selectFrom('audit_log')
      .select('action')
      .where('target', '=', user.id)
      .execute();
    expect(audit).toEqual([{ action: 'auth.registered' }]);
  });
});

describe('a job', () => {
  it('is accepted as often as there are credits for it, of a hundred at once', async () => {
    const user = await api.register();
    const answers = await Promise.all(Array.from({ length: 100 }, () => generate(user)));
    expect(count(answers, 202)).toBe(10);
    expect(count(answers, 402)).toBe(90);
    const refused = answers.find(({ status }) => status === 402)?.json;
    expect(refused).toMatchObject({ code: 'insufficient_credits', status_code: 402 });
    expect(await balanceOf(user)).toEqual({ balance: 10, held: 10, available: 0 });
    const jobs = await jobsOf(user);
    expect(jobs.map(({ credits_quoted: quoted }) => quoted)).toEqual(Array.from({ length: 10 }, () => 1));
    expect((await openHoldsOf(user)).map((hold) => hold.job_id).sort()).toEqual(
      jobs.map(({ id }) => id).sort(),
    );
    expect(await checkLedger(api.db)).toEqual([]);
  }, 60_000);

  it('is held once for one key, fifty times at once', async () => {
    const user = await api.register();
    const headers = { 'idempotency-key': 'the-only-one' };
    const answers = await Promise.all(Array.from({ length: 50 }, () => generate(user, headers, 'Tides')));
    expect(count(answers, 202) + count(answers, 409)).toBe(50);
    const accepted = answers.filter(({ status }) => status === 202).map(({ json }) => json.id);
    expect(new Set(accepted).size).toBe(1);
    expect(await jobsOf(user)).toHaveLength(1);
    expect(await balanceOf(user)).toEqual({ balance: 10, held: 1, available: 9 });
  }, 60_000);

  it('that is refused leaves nothing behind, and its key free', async () => {
    const user = await api.register();
    await grant(user, -10);
    const headers = { 'idempotency-key': 'again' };
    const refused = await generate(user, headers, 'Tides');
    expect(refused.json).toMatchObject({
      code: 'insufficient_credits',
      detail: 'This needs 1 credit; available: 0.',
    });
    expect(await jobsOf(user)).toEqual([]);
    const { items } = await get(user, '/activities');
    expect(items.map(({ type }: Json) => type)).toEqual(['credits_debited', 'credits_granted']);
    await grant(user, 1);
    const accepted = await generate(user, headers, 'Tides');
    expect(accepted.status).toBe(202);
    expect(accepted.json.credits).toEqual({ quoted: 1, charged: 0 });
  });

  it('that costs nothing needs nothing', async () => {
    const user = await api.register();
    await grant(user, -10);
    const answer = await api.call('/api/v1/stages/content', { token: user.token, body: { prompt: 'Tides' } });
    expect(answer.status).toBe(202);
    expect(answer.json.credits).toEqual({ quoted: 0, charged: 0 });
    expect(await openHoldsOf(user)).toEqual([]);
  });

  it('is given back when it is cancelled before it begins, and held anew when it is tried again', async () => {
    const away = await startApi({ temporalAddress: '127.0.0.1:1', signupCredits: 1 });
    const { token } = await away.register();
    const call = (path: string, method: string, body?: object) =>
      away.call(`/api/v1${path}`, { token, method, ...(body === undefined ? {} : { body }) });
    const { json: job } = await call('/videos/generate', 'POST', { prompt: 'Tides' });
    expect((await call('/videos/generate', 'POST', { prompt: 'Tides' })).status).toBe(402);
    expect((await call(`/jobs/${job.id}`, 'DELETE')).json.status).toBe('cancelled');
    expect((await call('/credits/balance', 'GET')).json).toEqual({ balance: 1, held: 0, available: 1 });
    const again = await call(`/jobs/${job.id}/retry`, 'POST');
    expect(again.status).toBe(202);
    expect(again.json).toMatchObject({ retryOf: job.id, credits: { quoted: 1, charged: 0 } });
    expect((await call('/credits/balance', 'GET')).json).toEqual({ balance: 1, held: 1, available: 0 });
    expect((await call(`/jobs/${job.id}/retry`, 'POST')).status).toBe(402);
    await away.stop();
  }, 60_000);
});

describe('entries and activities', () => {
  it('come in pages, newest first, and are the own ones only', async () => {
    const user = await api.register();
    const stranger = await api.register();
    await generate(user);
    await generate(user);
    const seen: Json[] = [];
    let cursor = '';
    do {
      const answer = await get(user, `/credits/entries?limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`);
      expect(answer.items).toHaveLength(1);
      seen.push(...answer.items);
      cursor = answer.nextCursor ?? '';
    } while (cursor !== '');
    expect(seen.map(({ kind, available, held }) => [kind, available, held])).toEqual([
      ['hold', -1, 1],
      ['hold', -1, 1],
      ['grant', 10, 0],
    ]);
    expect((await get(user, '/credits/entries?kind=grant')).items).toHaveLength(1);
    expect((await get(user, '/credits/entries?cursor=x')).code).toBe('validation_failed');
    expect((await get(stranger, '/credits/entries')).items).toHaveLength(1);
    expect((await get(stranger, '/activities')).items).toHaveLength(1);
  });

  it('tell every movement, count what they tell of, and can be cleared', async () => {
    const user = await api.register();
    const stranger = await api.register();
    const { id: jobId } = (await generate(user, {}, 'Tides')).json;
    const { items } = await get(user, '/activities');
    const told = items.map(({ type, message, jobId: of }: Json) => ({ type, message, jobId: of }));
    expect(told).toEqual([
      { type: 'credits_held', message: '1 credit set aside', jobId },
      { type: 'job_accepted', message: 'Started: Tides', jobId },
      { type: 'credits_granted', message: '10 credits granted: credits to begin with', jobId: null },
    ]);
    expect(await get(user, '/activities/stats')).toEqual({
      scriptActivities: 0,
      characterActivities: 0,
      videoActivities: 0,
      totalActivities: 3,
      lastActivityAt: items[0].timestamp,
    });
    const cleared = await api.call('/api/v1/activities', { method: 'DELETE', token: user.token });
    expect([cleared.status, cleared.json]).toEqual([200, { deleted: 3 }]);
    expect(await get(user, '/activities/stats')).toMatchObject({ totalActivities: 0, lastActivityAt: null });
    expect((await get(user, '/credits/entries')).items).toHaveLength(2);
    expect((await get(stranger, '/activities')).items).toHaveLength(1);
  });
});
