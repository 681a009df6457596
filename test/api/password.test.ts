import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { auditRows } from './admins.js';
import { password, startApi, type TestApi } from './support.js';

type User = Awaited<ReturnType<TestApi['register']>>;

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());
beforeEach(async () => {
  await api.db.deleteFrom('login_tries').execute();
});

const me = '/api/v1/users/me';
const auth = '/api/v1/auth';
const newPassword = 'a longer horse';

const change = (token: string, body: object = { currentPassword: password, newPassword }, target = api) =>
  target.call(`${me}/password`, { token, body });
const login = (user: User, given: string, target = api) =>
  target.call(`${auth}/login`, { body: { email: user.email, password: given } });
const refresh = (refreshToken: string) => api.call(`${auth}/refresh`, { body: { refreshToken } });
const statusOf = async (token: string) => (await api.call(me, { token })).status;

it('that is changed ends every other login at once, and keeps this one and the API keys', async () => {
  const user = await api.register();
  const stranger = await api.register();
  const other = (await login(user, password)).json;
  const key = (await api.call(`${me}/api-keys`, { token: user.token, body: { name: 'k' } })).json.key;
  const before = (await auditRows(api)).length;

  const changed = await change(user.token);
  expect([changed.status, changed.text]).toEqual([204, '']);
  expect(await auditRows(api, before)).toEqual([['auth.password_changed', user.id, user.id]]);
  expect(await statusOf(user.token)).toBe(200);
  expect(await statusOf(key)).toBe(200);
  expect(await statusOf(other.accessToken)).toBe(401);
  expect((await refresh(other.refreshToken)).status).toBe(401);
  expect((await refresh(user.refreshToken)).status).toBe(200);
  expect(await statusOf(stranger.token)).toBe(200);
  expect((await refresh(stranger.refreshToken)).status).toBe(200);
  expect((await login(user, password)).json.code).toBe('invalid_credentials');
  expect((await login(user, newPassword)).status).toBe(200);
});

it('is not changed without the current one', async () => {
  const user = await api.register();
  const other = (await login(user, password)).json;
  const before = (await auditRows(api)).length;
  const refused = await change(user.token, { currentPassword: 'wrong', newPassword });
  expect([refused.status, refused.json.code, refused.json.errors]).toEqual([
    401,
    'invalid_credentials',
    [{ path: 'body.currentPassword', message: 'is wrong' }],
  ]);
  expect(await auditRows(api, before)).toEqual([['auth.password_refused', user.id, user.id]]);
  expect(await statusOf(other.accessToken)).toBe(200);
  expect((await login(user, password)).status).toBe(200);
  for (const [body, path] of [
    [{ currentPassword: password, newPassword: 'short' }, 'body.newPassword'],
    [{ currentPassword: password, newPassword: 'x'.repeat(257) }, 'body.newPassword'],
    [{ newPassword }, 'body.currentPassword'],
    [{ currentPassword: password, newPassword, userId: user.id }, 'body.userId'],
  ] as const) {
    const wrong = await change(user.token, body);
    expect([wrong.status, wrong.json.errors[0].path]).toEqual([422, path]);
  }
  expect((await login(user, password)).status).toBe(200);
});

it('is changed once when it is changed many times at once', async () => {
  const user = await api.register();
  const wanted = Array.from({ length: 5 }, (_, index) => `new password ${index}`);
  const answers = await Promise.all(
    wanted.map((one) => change(user.token, { currentPassword: password, newPassword: one })),
  );
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status === 204)).toHaveLength(1);
  expect(statuses.filter((status) => status === 401)).toHaveLength(4);
  await api.db.deleteFrom('login_tries').execute();
  expect((await login(user, wanted[statuses.indexOf(204)] ?? '')).status).toBe(200);
});

it('leaves no login that began or was refreshed with the old one', async () => {
  for (let round = 0; round < 5; round += 1) {
    const user = await api.register();
    const other = (await login(user, password)).json;
    const [changed, ...late] = await Promise.all([
      change(user.token),
      refresh(other.refreshToken),
      login(user, password),
    ]);
    expect(changed.status).toBe(204);
    for (const { status, json } of late) {
      if (status === 200) expect(await statusOf(json.accessToken)).toBe(401);
      if (status === 200) expect((await refresh(json.refreshToken)).status).toBe(401);
    }
    const families = await api.db
      .selectFrom('refresh_tokens')
      .select('family_id')
      .distinct()
      .where('user_id', '=', user.id)
      .execute();
    expect(families).toHaveLength(1);
    expect(await statusOf(user.token)).toBe(200);
    await api.db.deleteFrom('login_tries').execute();
  }
});

it('is tried five times a minute, at the login, at the change and at every process of the API together', async () => {
  const user = await api.register();
  const second = await startApi({ db: api.db, storage: api.storage });
  const wrong = { currentPassword: 'wrong', newPassword };
  const tries = [
    () => login(user, 'wrong'),
    () => login(user, 'wrong', second),
    () => change(user.token, wrong),
    () => change(user.token, wrong, second),
    () => login(user, 'wrong', second),
  ];
  for (const attempt of tries) expect((await attempt()).status).toBe(401);
  const refused = [
    await login(user, password),
    await login(user, password, second),
    await change(user.token),
    await change(user.token, undefined, second),
  ];
  for (const { status, json, headers } of refused) {
    expect([status, json.code]).toEqual([429, 'too_many_logins']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  }
  await api.db.deleteFrom('login_tries').execute();
  expect((await login(user, password, second)).status).toBe(200);

  // Twelve at once over both processes: the limit holds all the same.
  await api.db.deleteFrom('login_tries').execute();
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, index) => login(user, 'wrong', index % 2 === 0 ? api : second)),
  );
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(5);
  await second.stop();
});
