import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi, type TestApi } from './support.js';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const me = '/api/v1/users/me';
const keys = `${me}/api-keys`;

async function withKey(body: object = { name: 'deploy' }) {
  const user = await api.register();
  const made = await api.call(keys, { token: user.token, body });
  expect(made.status).toBe(201);
  return { user, made: made.json };
}

it('is shown once and kept as a hash', async () => {
  const { user, made } = await withKey();
  expect(made.key).toMatch(/^csk_[A-Za-z0-9_-]{43}$/);
  expect(made).toMatchObject({ name: 'deploy', prefix: made.key.slice(0, 12), expiresAt: null });
  const listed = await api.call(keys, { token: user.token });
  const { key, ...shown } = made;
  expect(listed.json).toEqual({ items: [shown], nextCursor: null });
  const rows = await api.db.selectFrom('api_keys').selectAll().execute();
  expect(JSON.stringify(rows)).not.toContain(key);
  expect(rows[0]?.key_hash).toMatch(/^[0-9a-f]{64}$/);
});

it('works as a Bearer token until it is deleted', async () => {
  const { user, made } = await withKey();
  const profile = await api.call(me, { token: made.key });
  expect([profile.status, profile.json.id]).toEqual([200, user.id]);
  expect((await api.call('/api/v1/jobs', { token: made.key })).status).toBe(200);
  expect((await api.call(me, { token: `${made.key.slice(0, -1)}!` })).status).toBe(401);
  expect((await api.call(me, { token: `csk_${'A'.repeat(43)}` })).status).toBe(401);
  const deleted = await api.call(`${keys}/${made.id}`, { method: 'DELETE', token: user.token });
  expect(deleted.status).toBe(204);
  expect((await api.call(me, { token: made.key })).status).toBe(401);
  const again = await api.call(`${keys}/${made.id}`, { method: 'DELETE', token: user.token });
  expect(again.status).toBe(404);
});

it('is another user’s business not even by its id', async () => {
  const { user, made } = await withKey();
  const stranger = await api.register();
  const path = `${keys}/${made.id}`;
  expect((await api.call(path, { method: 'DELETE', token: stranger.token })).status).toBe(404);
  expect((await api.call(keys, { token: stranger.token })).json.items).toEqual([]);
  expect((await api.call(me, { token: made.key })).json.id).toBe(user.id);
});

it('manages no credentials', async () => {
  const { made } = await withKey();
  const token = made.key;
  // Also with bodies that would not fit: who may is asked first.
  for (const [method, path, body] of [
    ['GET', keys, undefined],
    ['POST', keys, { name: 'another' }],
    ['POST', keys, {}],
    ['DELETE', `${keys}/${made.id}`, undefined],
    ['POST', `${me}/password`, { currentPassword: 'x', newPassword: 'long enough' }],
    ['POST', `${me}/password`, {}],
    ['POST', '/api/v1/auth/logout', undefined],
  ] as const) {
    const answer = await api.call(path, { method, token, ...(body === undefined ? {} : { body }) });
    expect([method, path, answer.status, answer.json.code]).toEqual([method, path, 403, 'session_required']);
  }
});

it('ends when it says, and only in the future', async () => {
  const { user, made } = await withKey({
    name: 'short',
    expiresAt: new Date(Date.now() + 60_000).toISOString(),
  });
  expect((await api.call(me, { token: made.key })).status).toBe(200);
  await api.db
    .updateTable('api_keys')
    .set({ expires_at: new Date(Date.now() - 1) })
    .where('id', '=', made.id)
    .execute();
  expect((await api.call(me, { token: made.key })).status).toBe(401);
  for (const expiresAt of [
    new Date(Date.now() - 1000).toISOString(),
    'tomorrow',
    '2026-13-01T00:00:00Z',
    5,
  ]) {
    const refused = await api.call(keys, { token: user.token, body: { name: 'x', expiresAt } });
    expect([refused.status, refused.json.errors[0].path]).toEqual([422, 'body.expiresAt']);
  }
  const zoned = { name: 'zoned', expiresAt: '2999-01-01T00:00:00+02:00' };
  expect((await api.call(keys, { token: user.token, body: zoned })).json.expiresAt).toBe(
    '2998-12-31T22:00:00.000Z',
  );
});

it('notes its use once a minute', async () => {
  const { user, made } = await withKey();
  const lastUsedAt = async (): Promise<string | null> =>
    (await api.call(keys, { token: user.token })).json.items[0].lastUsedAt;
  const setLastUse = (secondsAgo: number) => {
    const at = new Date(Date.now() - secondsAgo * 1000);
    return api.db.updateTable('api_keys').set({ last_used_at: at }).where('id', '=', made.id).execute();
  };
  expect(await lastUsedAt()).toBeNull();
  await api.call(me, { token: made.key });
  const first = await lastUsedAt();
  expect(Date.now() - Date.parse(String(first))).toBeLessThan(20_000);
  await Promise.all(Array.from({ length: 5 }, () => api.call(me, { token: made.key })));
  expect(await lastUsedAt()).toBe(first);
  await setLastUse(61);
  const stale = await lastUsedAt();
  await api.call(me, { token: made.key });
  expect(await lastUsedAt()).not.toBe(stale);
});

it('is one of twenty at most, also when they are made at once', async () => {
  const user = await api.register();
  const make = (index: number) => api.call(keys, { token: user.token, body: { name: `key ${index}` } });
  const answers = await Promise.all(Array.from({ length: 25 }, (_, index) => make(index)));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(20);
  const refused = answers.filter(({ status }) => status !== 201);
  expect(refused.map(({ status, json }) => [status, json.code])).toEqual(
    Array(5).fill([409, 'too_many_api_keys']),
  );
  const first = await api.call(`${keys}?limit=15`, { token: user.token });
  const second = await api.call(`${keys}?limit=15&cursor=${first.json.nextCursor}`, { token: user.token });
  expect([first.json.items.length, second.json.items.length, second.json.nextCursor]).toEqual([15, 5, null]);
  const ids = [...first.json.items, ...second.json.items].map(({ id }: { id: string }) => id);
  expect(new Set(ids).size).toBe(20);
});

it('does nothing while its owner is suspended', async () => {
  const { user, made } = await withKey();
  const setStatus = (status: 'active' | 'suspended') =>
    api.db.updateTable('users').set({ status }).where('id', '=', user.id).execute();
  await setStatus('suspended');
  const refused = await api.call(me, { token: made.key });
  expect([refused.status, refused.json.code]).toEqual([403, 'account_suspended']);
  await setStatus('active');
  expect((await api.call(me, { token: made.key })).status).toBe(200);
});
