import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { password, startApi, type TestApi } from './support.js';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const auth = '/api/v1/auth';
const me = '/api/v1/users/me';

describe('an account', () => {
  it('lives from registration to logout', async () => {
    const registered = await api.call(`${auth}/register`, {
      body: { email: ' Ada@Example.COM ', password, name: 'Ada' },
    });
    expect(registered.status).toBe(201);
    expect(registered.json).toMatchObject({
      expiresIn: 900,
      user: { email: 'ada@example.com', name: 'Ada', role: 'user', credits: 1_000, subscription: null },
    });

    const login = await api.call(`${auth}/login`, { body: { email: 'ADA@example.com', password } });
    expect(login.status).toBe(200);
    const token = login.json.accessToken;
    expect((await api.call(me, { token })).json.email).toBe('ada@example.com');

    const changed = await api.call(me, { method: 'PUT', token, body: { firstName: 'Ada', name: null } });
    expect(changed.json).toMatchObject({ firstName: 'Ada', name: null, lastName: null });

    expect((await api.call(`${auth}/logout`, { method: 'POST', token })).status).toBe(204);
    expect((await api.call(me, { token })).status).toBe(401);
    const refreshed = await api.call(`${auth}/refresh`, { body: { refreshToken: login.json.refreshToken } });
    expect(refreshed.json.code).toBe('invalid_refresh_token');
    // The login of the registration is another family and goes on.
    expect((await api.call(me, { token: registered.json.accessToken })).status).toBe(200);
  });

  it('is refused a second time for the same address', async () => {
    const { email } = await api.register();
    const again = await api.call(`${auth}/register`, { body: { email: email.toUpperCase(), password } });
    expect([again.status, again.json.code]).toEqual([409, 'email_taken']);
  });

  it('cannot be given a role, credits or a status by its owner', async () => {
    const { token } = await api.register();
    for (const field of ['role', 'credits', 'status', 'isVerified', 'id', 'email']) {
      const answer = await api.call(me, { method: 'PUT', token, body: { name: 'x', [field]: 'admin' } });
      expect(answer.status).toBe(422);
      expect(answer.json.errors).toEqual([{ path: `body.${field}`, message: 'there is no such field' }]);
    }
    const registration = await api.call(`${auth}/register`, {
      body: { email: 'mallory@example.com', password, role: 'admin' },
    });
    expect(registration.status).toBe(422);
  });

  it('that is suspended is out at once', async () => {
    const user = await api.register();
    await api.db.updateTable('users').set({ status: 'suspended' }).where('id', '=', user.id).execute();
    expect((await api.call(me, { token: user.token })).json.code).toBe('account_suspended');
    const login = await api.call(`${auth}/login`, { body: { email: user.email, password } });
    expect([login.status, login.json.code]).toEqual([403, 'account_suspended']);
    const refresh = await api.call(`${auth}/refresh`, { body: { refreshToken: user.refreshToken } });
    expect(refresh.json.code).toBe('account_suspended');
    const guess = await api.call(`${auth}/login`, { body: { email: user.email, password: 'wrong guess' } });
    expect(guess.json.code).toBe('invalid_credentials');
  });
});

describe('a login', () => {
  it('answers alike for an unknown address and a wrong password, in body and in time', async () => {
    const { email } = await api.register();
    const attempt = async (address: string) => {
      const startedAt = performance.now();
      const answer = await api.call(`${auth}/login`, { body: { email: address, password: 'not the one' } });
      return { answer, ms: performance.now() - startedAt };
    };
    const unknown: number[] = [];
    const wrong: number[] = [];
    for (let round = 0; round < 21; round += 1) {
      await api.db.deleteFrom('login_tries').execute();
      // Taking turns, so that what slows the first of two down falls on both.
      const isFirst = round % 2 === 0;
      const early = await attempt(isFirst ? email : 'nobody@example.com');
      const late = await attempt(isFirst ? 'nobody@example.com' : email);
      const [a, b] = isFirst ? [late, early] : [early, late];
      const strip = (body: object) => ({ ...body, timestamp: '', requestId: '' });
      expect([a.answer.status, strip(a.answer.json)]).toEqual([b.answer.status, strip(b.answer.json)]);
      unknown.push(a.ms);
      wrong.push(b.ms);
    }
    const median = (values: number[]) => values.toSorted((x, y) => x - y)[10] ?? 0;
    // Without the decoy hash the unknown address answers in a tenth of the time.
    expect(median(unknown)).toBeGreaterThan(median(wrong) * 0.5);
    expect(median(unknown)).toBeLessThan(median(wrong) * 2);
  });

  it('keeps only hashes', async () => {
    const { token, refreshToken } = await api.register();
    const sessions = await api.db.selectFrom('sessions').selectAll().execute();
    const refreshTokens = await api.db.selectFrom('refresh_tokens').selectAll().execute();
    const users = await api.db.selectFrom('users').selectAll().execute();
    const stored = JSON.stringify([sessions, refreshTokens, users]);
    expect(stored).not.toContain(token);
    expect(stored).not.toContain(refreshToken);
    expect(stored).not.toContain(password);
    expect(users[0]?.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(JSON.stringify(api.log)).not.toContain(token);
    expect(JSON.stringify(api.log)).not.toContain(password);
  });

  it('ends with its access token, however often that is used', async () => {
    const { id, token } = await api.register();
    const almost = new Date(Date.now() + 60_000);
    await api.db.updateTable('sessions').set({ expires_at: almost }).where('user_id', '=', id).execute();
    expect((await api.call(me, { token })).status).toBe(200);
    const session = await api.db
      .selectFrom('sessions')
      .select('expires_at')
      .where('user_id', '=', id)
      .executeTakeFirstOrThrow();
    expect(session.expires_at).toEqual(almost);
    await api.db
      .updateTable('sessions')
      .set({ expires_at: new Date(Date.now() - 1) })
      .where('user_id', '=', id)
      .execute();
    expect((await api.call(me, { token })).status).toBe(401);
  });

  it.each(['an account that is there', 'one that is not'])(
    'is refused after five wrong tries on %s',
    async (kind) => {
      await api.db.deleteFrom('login_tries').execute();
      const { email } = kind === 'one that is not' ? { email: 'nobody@example.org' } : await api.register();
      const attempt = (given: string) => api.call(`${auth}/login`, { body: { email, password: given } });
      const answers = await Promise.all(Array.from({ length: 12 }, () => attempt('not the one')));
      const statuses = answers.map((answer) => answer.status);
      expect(statuses.filter((status) => status === 401)).toHaveLength(5);
      expect(statuses.filter((status) => status === 429)).toHaveLength(7);

      const late = await attempt(password);
      expect([late.status, late.json.code]).toEqual([429, 'too_many_logins']);
      const seconds = Number(late.headers.get('retry-after'));
      expect(seconds).toBeGreaterThan(50);
      expect(seconds).toBeLessThanOrEqual(60);
      const stored = JSON.stringify(await api.db.selectFrom('login_tries').selectAll().execute());
      expect(stored).not.toContain(email);

      await api.db
        .updateTable('login_tries')
        .set({ since: new Date(Date.now() - 61_000) })
        .execute();
      expect((await attempt(password)).status).toBe(kind === 'one that is not' ? 401 : 200);
    },
  );

  it('may succeed as often as it likes', async () => {
    await api.db.deleteFrom('login_tries').execute();
    const { email } = await api.register();
    for (let round = 0; round < 8; round += 1) {
      expect((await api.call(`${auth}/login`, { body: { email, password } })).status).toBe(200);
    }
  });

  it('counts an address for itself only as far as proxies of ours vouch for it', async () => {
    const guess = (target: TestApi, forwarded: string, index: number) =>
      target.call(`${auth}/login`, {
        body: { email: `guess${index}@example.com`, password: 'x' },
        headers: { 'x-forwarded-for': forwarded },
      });
    const statuses = async (target: TestApi, forwarded: (index: number) => string) => {
      await api.db.deleteFrom('login_tries').execute();
      const answers = [];
      for (let index = 0; index < 6; index += 1) answers.push(await guess(target, forwarded(index), index));
      return answers.map((answer) => answer.status);
    };
    expect(await statuses(api, (index) => `10.0.0.${index}`)).toEqual([401, 401, 401, 401, 401, 429]);
    const proxied = await startApi({ db: api.db, storage: api.storage, trustedProxies: 1 });
    expect(await statuses(proxied, (index) => `1.1.1.1, 10.0.0.${index}`)).toEqual(Array(6).fill(401));
    expect(await statuses(proxied, (index) => `10.0.0.${index}, 1.1.1.1`)).toEqual([
      401, 401, 401, 401, 401, 429,
    ]);
    // One client has all addresses of its network, and each connection a port of its own.
    expect(await statuses(proxied, (index) => `[2001:db8::${index}]:400${index}`)).toEqual([
      401, 401, 401, 401, 401, 429,
    ]);
    await proxied.stop();
  });

  it.each(['', 'Bearer', 'Bearer ', 'Basic abc', 'Bearer a b', 'Bearer \tx', `Bearer ${'x'.repeat(5000)}`])(
    'is not what %j says',
    async (authorization) => {
      const answer = await api.call(me, { headers: { authorization } });
      expect([answer.status, answer.json.code]).toEqual([401, 'unauthorized']);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    },
  );
});

describe('a refresh token', () => {
  const refresh = (refreshToken: string) => api.call(`${auth}/refresh`, { body: { refreshToken } });

  it('gives a new pair each time', async () => {
    let { refreshToken } = await api.register();
    for (let round = 0; round < 3; round += 1) {
      const answer = await refresh(refreshToken);
      expect(answer.status).toBe(200);
      expect(answer.json.refreshToken).not.toBe(refreshToken);
      expect((await api.call(me, { token: answer.json.accessToken })).status).toBe(200);
      refreshToken = answer.json.refreshToken;
    }
  });

  it('used ten times at once leaves the user logged in', async () => {
    const { refreshToken } = await api.register();
    const answers = await Promise.all(Array.from({ length: 10 }, () => refresh(refreshToken)));
    expect(answers.map((answer) => answer.status)).toEqual(Array(10).fill(200));
    for (const answer of answers) {
      expect((await api.call(me, { token: answer.json.accessToken })).status).toBe(200);
      expect((await refresh(answer.json.refreshToken)).status).toBe(200);
    }
  });

  it('that is used again ends its whole family, which is audited', async () => {
    const { id, token, refreshToken } = await api.register();
    const second = await refresh(refreshToken);
    expect((await refresh(refreshToken)).json.code).toBe('invalid_refresh_token');
    expect((await refresh(second.json.refreshToken)).status).toBe(401);
    expect((await api.call(me, { token })).status).toBe(401);
    expect((await api.call(me, { token: second.json.accessToken })).status).toBe(401);
    const audited = await api.db
      .selectFrom('audit_log')
      .selectAll()
      .where('actor_id', '=', id)
      .where('action', '=', 'auth.refresh_token_reused')
      .execute();
    expect(audited).toHaveLength(1);
  });

  it.each([
    ['its clock is behind', 0, -3_600_000],
    ['that of whoever spent it was ahead', 3_600_000, 0],
  ])('that is used again is known to a host when %s', async (_what, spendingMs, usingMs) => {
    const { token, refreshToken } = await api.register();
    // The API runs in this process.
    const refreshAt = async (offsetMs: number) => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + offsetMs });
      try {
        return await Promise.all([refresh(refreshToken), refresh(refreshToken)]);
      } finally {
        vi.useRealTimers();
      }
    };
    const first = await refreshAt(spendingMs);
    expect(first.map(({ status }) => status)).toEqual([200, 200]);
    const again = await refreshAt(usingMs);
    expect(again.map(({ json }) => json.code)).toEqual(['invalid_refresh_token', 'invalid_refresh_token']);
    for (const ended of [token, ...first.map(({ json }) => json.accessToken)]) {
      expect((await api.call(me, { token: ended })).status).toBe(401);
    }
  });

  it('that is over is refused', async () => {
    const { id, refreshToken } = await api.register();
    await api.db
      .updateTable('refresh_tokens')
      .set({ expires_at: new Date(Date.now() - 1_000) })
      .where('user_id', '=', id)
      .execute();
    expect((await refresh(refreshToken)).status).toBe(401);
    expect((await refresh('never-was-one')).status).toBe(401);
  });
});
