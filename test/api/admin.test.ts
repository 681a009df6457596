import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claimNamespace } from '../support/services.js';
import { auditRows, registerAdmin } from './admins.js';
import { addVideo } from './gallery.js';
import { password, startApi, type Json, type TestApi } from './support.js';

type User = Awaited<ReturnType<TestApi['register']>>;

let api: TestApi;
let admin: User;
beforeAll(async () => {
  api = await startApi({ namespace: await claimNamespace() });
  admin = await registerAdmin(api);
});
afterAll(() => api.stop());

const base = '/api/v1/admin';
const me = '/api/v1/users/me';
const auth = '/api/v1/auth';
const asAdmin = (path: string, body?: unknown, headers = {}) =>
  api.call(`${base}${path}`, { token: admin.token, headers, ...(body === undefined ? {} : { body }) });
const act = (user: User, id: string, deed: 'suspend' | 'unsuspend') =>
  api.call(`${base}/users/${id}/${deed}`, { method: 'POST', token: user.token });

describe('what is for admins', () => {
  it('is refused to everybody else before anything of the request is looked at', async () => {
    const { id, token } = await api.register();
    const operations = [
      ['GET', '/users'],
      ['GET', '/users?status=nonsense'],
      ['POST', `/users/${id}/suspend`],
      ['POST', `/users/${admin.id}/suspend`],
      ['POST', '/users/not-an-id/unsuspend'],
      ['POST', `/users/${id}/credits`],
      ['GET', '/stats'],
      ['GET', '/jobs'],
      ['GET', '/audit'],
      ['GET', '/nothing'],
    ] as const;
    for (const [method, path] of operations) {
      const refused = await api.call(`${base}${path}`, { method, token });
      expect([path, refused.status, refused.json.code]).toEqual([path, 403, 'forbidden']);
      expect((await api.call(`${base}${path}`, { method })).status).toBe(401);
    }
    const malformed = await api.call(`${base}/users/${id}/credits`, { token, body: '{"amount":' });
    expect(malformed.json.code).toBe('forbidden');
    expect((await api.call(me, { token })).json.status).toBe('active');
  });

  it('ends with the role', async () => {
    const other = await registerAdmin(api);
    expect((await api.call(`${base}/users`, { token: other.token })).status).toBe(200);
    await api.db.updateTable('users').set({ role: 'user' }).where('id', '=', other.id).execute();
    expect((await api.call(`${base}/users`, { token: other.token })).json.code).toBe('forbidden');
  });
});

describe('the users', () => {
  it('are listed, newest first, and found by part of an address or a name', async () => {
    const ada = await api.register();
    const body = { firstName: 'Ada', lastName: 'Lovelace_%' };
    await api.call(me, { method: 'PUT', token: ada.token, body });
    const found = async (query: string) =>
      (await asAdmin(`/users?query=${encodeURIComponent(query)}`)).json.items.map(({ id }: Json) => id);
    expect(await found('LOVELACE_%')).toEqual([ada.id]);
    expect(await found('ada lovel')).toEqual([ada.id]);
    expect(await found(ada.email.toUpperCase())).toEqual([ada.id]);
    expect(await found('100%')).toEqual([]);

    const all: string[] = [];
    let cursor = '';
    do {
      const page = await asAdmin(`/users?limit=2${cursor}`);
      expect(page.status).toBe(200);
      expect(page.text).not.toMatch(/argon2|password/i);
      all.push(...page.json.items.map(({ id }: Json) => id));
      cursor = page.json.nextCursor === null ? '' : `&cursor=${String(page.json.nextCursor)}`;
    } while (cursor !== '');
    const rows = await api.db.selectFrom('users').select('id').orderBy('created_at', 'desc').execute();
    expect(all).toEqual(rows.map(({ id }) => id));
    const admins = await asAdmin('/users?role=admin&status=active');
    expect(admins.json.items.map(({ id }: Json) => id)).toContain(admin.id);
    for (const query of ['status=gone', 'limit=0', 'cursor=x', 'query=', 'role=root', 'userId=1']) {
      expect([query, (await asAdmin(`/users?${query}`)).status]).toEqual([query, 422]);
    }
  });

  it('are out at once when they are suspended, and log in anew when they are let in again', async () => {
    const user = await api.register();
    const second = await api.call(`${auth}/login`, { body: { email: user.email, password } });
    const key = await api.call(`${me}/api-keys`, { token: user.token, body: { name: 'k' } });
    const before = (await auditRows(api)).length;

    const suspended = await act(admin, user.id, 'suspend');
    expect([suspended.status, suspended.json.id, suspended.json.status]).toEqual([200, user.id, 'suspended']);
    for (const token of [user.token, second.json.accessToken]) {
      expect((await api.call(me, { token })).json.code).toBe('unauthorized');
    }
    for (const refreshToken of [user.refreshToken, second.json.refreshToken]) {
      const refreshed = await api.call(`${auth}/refresh`, { body: { refreshToken } });
      expect([refreshed.status, refreshed.json.code]).toEqual([401, 'invalid_refresh_token']);
    }
    expect((await api.call(me, { token: key.json.key })).json.code).toBe('account_suspended');
    expect((await act(admin, user.id, 'suspend')).json.status).toBe('suspended');
    expect(await auditRows(api, before)).toEqual([['admin.user_suspended', admin.id, user.id]]);
    const login = await api.call(`${auth}/login`, { body: { email: user.email, password } });
    expect([login.status, login.json.code]).toEqual([403, 'account_suspended']);

    const again = await Promise.all(Array.from({ length: 4 }, () => act(admin, user.id, 'unsuspend')));
    expect(again.map(({ status, json }) => [status, json.status])).toEqual(Array(4).fill([200, 'active']));
    expect((await api.call(me, { token: user.token })).status).toBe(401);
    expect((await api.call(me, { token: key.json.key })).status).toBe(200);
    const back = await api.call(`${auth}/login`, { body: { email: user.email, password } });
    expect(back.status).toBe(200);
    expect(await auditRows(api, before)).toEqual([
      ['admin.user_suspended', admin.id, user.id],
      ['auth.login_refused', null, user.id],
      ['admin.user_unsuspended', admin.id, user.id],
      ['auth.logged_in', user.id, user.id],
    ]);
  });

  it('see no more of a job that they were following', async () => {
    const user = await api.register();
    const { jobId } = await addVideo(api, user.id);
    const setProgress = (status: 'in_progress' | 'failed', progress: number) =>
      api.db
        .updateTable('jobs')
        .set({ status, overall_progress: progress })
        .where('id', '=', jobId)
        .execute();
    await setProgress('in_progress', 1);
    const response = await fetch(`${api.url}/api/v1/jobs/${jobId}/events`, {
      headers: { authorization: `Bearer ${user.token}` },
    });
    const body = response.text();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await act(admin, user.id, 'suspend');
    await setProgress('failed', 77);
    const told = await body;
    expect(told.match(/^event: job$/gm)).toHaveLength(1);
    expect(told).not.toContain('"failed"');
  });

  it('keep no login that was being refreshed while they were suspended', async () => {
    for (let round = 0; round < 5; round += 1) {
      const user = await api.register();
      const refreshing = api.call(`${auth}/refresh`, { body: { refreshToken: user.refreshToken } });
      // The refresh waits for 150 ms before it spends its token.
      await new Promise((resolve) => setTimeout(resolve, 145 + 5 * round));
      await act(admin, user.id, 'suspend');
      const refreshed = await refreshing;
      await act(admin, user.id, 'unsuspend');
      const token = refreshed.json.accessToken ?? user.token;
      expect((await api.call(me, { token })).status).toBe(401);
      const left = await api.db
        .selectFrom('refresh_tokens')
        .select('user_id')
        .where('user_id', '=', user.id)
        .execute();
      expect(left).toEqual([]);
    }
  });

  it('are not there when they are not', async () => {
    for (const [path, body] of [
      [`/users/${crypto.randomUUID()}/suspend`, {}],
      [`/users/${crypto.randomUUID()}/unsuspend`, {}],
      [`/users/${crypto.randomUUID()}/credits`, { amount: 1, reason: 'x' }],
      ['/users/1/suspend', {}],
    ] as const) {
      expect([path, (await asAdmin(path, body)).status]).toEqual([path, 404]);
    }
  });
});

describe('an admin', () => {
  it('does not suspend themselves', async () => {
    const refused = await act(admin, admin.id, 'suspend');
    expect([refused.status, refused.json.code]).toEqual([409, 'own_account']);
    expect((await act(admin, admin.id, 'unsuspend')).status).toBe(200);
    expect((await api.call(me, { token: admin.token })).json.status).toBe('active');
  });

  it('who is being suspended suspends nobody any more', async () => {
    for (let round = 0; round < 5; round += 1) {
      const [one, two] = [await registerAdmin(api), await registerAdmin(api)];
      const answers = await Promise.all([act(one, two.id, 'suspend'), act(two, one.id, 'suspend')]);
      const statuses = answers.map(({ status }) => status);
      expect(statuses.filter((status) => status === 200)).toHaveLength(1);
      expect([401, 403]).toContain(statuses.find((status) => status !== 200));
      const rows = await api.db
        .selectFrom('users')
        .select('status')
        .where('id', 'in', [one.id, two.id])
        .orderBy('status')
        .execute();
      expect(rows.map(({ status }) => status)).toEqual(['active', 'suspended']);
    }
  });

  it('gives credits and takes them back, each deed once', async () => {
    const user = await api.register();
    const path = `/users/${user.id}/credits`;
    const start: number = (await asAdmin('/users')).json.items.find(({ id }: Json) => id === user.id).credits;
    const before = (await auditRows(api)).length;
    const body = { amount: 25, reason: 'A gift' };
    const granted = await asAdmin(path, body, { 'idempotency-key': 'grant-1' });
    expect([granted.status, granted.json]).toEqual([
      200,
      { userId: user.id, balance: start + 25, held: 0, available: start + 25 },
    ]);
    const same = await asAdmin(path, body, { 'idempotency-key': 'grant-1' });
    expect([same.json, same.headers.get('idempotency-replayed')]).toEqual([granted.json, 'true']);
    const other = await asAdmin(path, { ...body, amount: 26 }, { 'idempotency-key': 'grant-1' });
    expect([other.status, other.json.code]).toEqual([422, 'idempotency_key_reused']);
    // Without a key each request is a deed of its own, also when its id is the same.
    for (let round = 0; round < 2; round += 1) {
      expect((await asAdmin(path, { amount: 1, reason: 'x' }, { 'x-request-id': 'same' })).status).toBe(200);
    }
    const taken = await asAdmin(path, { amount: -7, reason: 'A mistake' });
    expect(taken.json.available).toBe(start + 20);
    const tooMuch = await asAdmin(path, { amount: -start - 21, reason: 'x' });
    expect([tooMuch.status, tooMuch.json.errors[0].path]).toEqual([422, 'body.amount']);
    expect(await auditRows(api, before)).toEqual([
      ['credits.granted', admin.id, user.id],
      ['credits.granted', admin.id, user.id],
      ['credits.granted', admin.id, user.id],
      ['credits.debited', admin.id, user.id],
    ]);
    for (const [wrong, field] of [
      [{ amount: 0, reason: 'x' }, 'amount'],
      [{ amount: 1.5, reason: 'x' }, 'amount'],
      [{ amount: '5', reason: 'x' }, 'amount'],
      [{ amount: 1e9, reason: 'x' }, 'amount'],
      [{ amount: 5 }, 'reason'],
      [{ amount: 5, reason: ' ' }, 'reason'],
      [{ amount: 5, reason: 'x', userId: admin.id }, 'userId'],
    ] as const) {
      const refused = await asAdmin(path, wrong);
      expect([refused.status, refused.json.errors[0].path]).toEqual([422, `body.${field}`]);
    }
  });

  it('sees everybody’s jobs', async () => {
    const [one, two] = [await api.register(), await api.register()];
    const [first, second] = [await addVideo(api, one.id), await addVideo(api, two.id)];
    const idsOf = async (query: string) =>
      (await asAdmin(`/jobs?${query}`)).json.items.map(({ id }: Json) => id);
    expect(await idsOf('type=explainer&status=completed&limit=2')).toEqual([second.jobId, first.jobId]);
    expect(await idsOf(`userId=${one.id}`)).toEqual([first.jobId]);
    expect(await idsOf('status=cancelled')).toEqual([]);
    const page = await asAdmin('/jobs?limit=1');
    expect(page.json.items[0]).toMatchObject({ userId: two.id, userEmail: two.email, status: 'completed' });
    expect(await idsOf(`limit=1&cursor=${String(page.json.nextCursor)}`)).toEqual([first.jobId]);
    expect((await asAdmin('/jobs?type=x')).status).toBe(422);
  });

  it('reads the audit log, whole or of one action, actor or target', async () => {
    const user = await api.register();
    await act(admin, user.id, 'suspend');
    await act(admin, user.id, 'unsuspend');
    const actionsOf = async (query: string) =>
      (await asAdmin(`/audit?${query}`)).json.items.map(({ action }: Json) => action);
    expect(await actionsOf('limit=2')).toEqual(['admin.user_unsuspended', 'admin.user_suspended']);
    expect(await actionsOf(`target=${user.id}`)).toEqual([
      'admin.user_unsuspended',
      'admin.user_suspended',
      'auth.registered',
    ]);
    expect(await actionsOf(`actorId=${user.id}`)).toEqual(['auth.registered']);
    expect(new Set(await actionsOf('action=admin.user_suspended'))).toEqual(
      new Set(['admin.user_suspended']),
    );
    const [entry] = (await asAdmin('/audit?limit=1')).json.items;
    expect(entry).toMatchObject({ actorId: admin.id, actorEmail: admin.email, target: user.id, detail: {} });
    expect(Date.now() - Date.parse(entry.at)).toBeLessThan(60_000);

    const seen: string[] = [];
    let cursor = '';
    do {
      const page = (await asAdmin(`/audit?limit=7${cursor}`)).json;
      seen.push(...page.items.map(({ id }: Json) => id));
      cursor = page.nextCursor === null ? '' : `&cursor=${String(page.nextCursor)}`;
    } while (cursor !== '');
    expect(new Set(seen).size).toBe((await auditRows(api)).length);
    expect(seen).toHaveLength(new Set(seen).size);
  });
});

describe('the figures', () => {
  it('count what there is, and what waits for workers', async () => {
    const { token } = await api.register();
    const made = async () => {
      const body = { prompt: 'Tides' };
      expect((await api.call('/api/v1/videos/generate', { token, body })).status).toBe(202);
    };
    await Promise.all([made(), made(), made()]);
    const stats = async () => (await asAdmin('/stats')).json;
    const count = (table: 'users' | 'artifacts' | 'jobs') =>
      api.db
        .selectFrom(table)
        .select((eb) => eb.fn.countAll<string>().as('n'))
        .executeTakeFirstOrThrow()
        .then(({ n }) => Number(n));
    const found = await stats();
    expect(found.users.total).toBe(await count('users'));
    const { total, active, suspended }: Record<string, number> = found.users;
    expect(Number(active) + Number(suspended)).toBe(total);
    expect(suspended).toBeGreaterThan(0);
    expect(found.storage.objects).toBe(await count('artifacts'));
    expect(found.storage.bytes).toBeGreaterThan(0);
    expect(found.jobs.reduce((sum: number, row: { count: number }) => sum + row.count, 0)).toBe(
      await count('jobs'),
    );
    expect(found.jobs).toContainEqual({ type: 'explainer', status: 'queued', count: 3 });
    const { issued, available, held, earned }: Record<string, number> = found.credits;
    expect(issued).toBe(Number(available) + Number(held) + Number(earned));
    expect(issued).toBeGreaterThanOrEqual(20);
    expect(found.queues.map(({ pool }: Json) => pool)).toEqual([
      'orchestration',
      'llm',
      'tts',
      'lipsync',
      'media',
      'delivery',
    ]);
    // No worker polls this namespace, so that the three workflows' first tasks wait.
    await expect
      .poll(async () => (await stats()).queues[0].backlog, { timeout: 20_000, interval: 500 })
      .toBe(3);
    const queues = (await stats()).queues;
    expect(queues[0].workers).toBe(0);
    expect(queues.slice(1).map(({ backlog }: Json) => backlog)).toEqual([0, 0, 0, 0, 0]);
  });

  it('come without the queues while the engine is away', async () => {
    const alone = await startApi({ db: api.db, storage: api.storage, temporalAddress: '127.0.0.1:9' });
    const startedAt = performance.now();
    const answer = await alone.call(`${base}/stats`, { token: admin.token });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect([answer.status, answer.json.queues]).toEqual([200, null]);
    expect(answer.json.users.total).toBeGreaterThan(0);
    await alone.stop();
  });
});
