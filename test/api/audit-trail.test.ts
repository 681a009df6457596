import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { auditRows, registerAdmin } from './admins.js';
import { readOperations } from './openapi-operations.js';
import { password, startApi, type Answer, type CallOptions, type Json, type TestApi } from './support.js';
import { expectations } from './who-may-table.js';

const auth = '/api/v1/auth';
const me = '/api/v1/users/me';
const users = '/api/v1/admin/users';

let api: TestApi;
let admin: Awaited<ReturnType<TestApi['register']>>;
/** Everything that was ever a secret here. */
const secrets = new Set<string>();

beforeAll(async () => {
  api = await startApi();
  admin = await registerAdmin(api);
  remember(admin);
});
afterAll(() => api.stop());
beforeEach(async () => {
  await api.db.deleteFrom('login_tries').execute();
});

function remember({ accessToken, refreshToken, token, key, secret: signing }: Json): void {
  for (const secret of [accessToken, refreshToken, token, key, signing]) {
    if (typeof secret === 'string') secrets.add(secret);
  }
}

async function call(path: string, options?: CallOptions): Promise<Answer> {
  const answer = await api.call(path, options);
  remember(answer.json ?? {});
  return answer;
}

async function newUser() {
  const user = await api.register();
  remember(user);
  return user;
}

const credentials = (email: string, given = password) => ({ body: { email, password: given } });
const newPassword = 'a much longer horse';
secrets.add(password).add(newPassword);

interface Deed {
  /** What it should leave in the log; nothing for what had no effect. */
  actions: string[];
  status: number;
  does: () => Promise<Answer>;
}

/** Every operation that manages accounts or money, with each way in which it can end. */
async function deeds(): Promise<[operation: string, ending: string, deed: Deed][]> {
  const user = await newUser();
  const { email, id, token } = user;
  const replayed = (await call(`${auth}/login`, credentials(email))).json.refreshToken;
  const ended = (await call(`${auth}/login`, credentials(email))).json.accessToken;
  const doomed = (await call(`${me}/api-keys`, { token, body: { name: 'doomed' } })).json.id;
  const apiKey = (await call(`${me}/api-keys`, { token, body: { name: 'a program' } })).json.key;
  await call(`${auth}/refresh`, { body: { refreshToken: replayed } });
  const suspended = await newUser();
  const asAdmin = { method: 'POST', token: admin.token };
  const gift = { amount: 5, reason: 'a gift' };
  const keyed = { ...asAdmin, body: gift, headers: { 'idempotency-key': `gift-${id}` } };

  const register = (address: string) => () => call(`${auth}/register`, credentials(address));
  const login = (address: string, given?: string) => () => call(`${auth}/login`, credentials(address, given));
  const refresh = (refreshToken: string) => () => call(`${auth}/refresh`, { body: { refreshToken } });
  const changePassword = (currentPassword: string) => () =>
    call(`${me}/password`, { token, body: { currentPassword, newPassword } });
  const suspend = (target: string) => () => call(`${users}/${target}/suspend`, asAdmin);
  const unsuspend = () => call(`${users}/${suspended.id}/unsuspend`, asAdmin);
  const generate = (key: string) => () =>
    call('/api/v1/videos/generate', {
      token,
      body: { prompt: 'Tides' },
      headers: { 'idempotency-key': key },
    });
  const nothing: string[] = [];

  return [
    [
      'POST /auth/register',
      'done',
      { actions: ['auth.registered'], status: 201, does: register('new@example.org') },
    ],
    ['POST /auth/register', 'taken', { actions: nothing, status: 409, does: register(email) }],
    ['POST /auth/login', 'done', { actions: ['auth.logged_in'], status: 200, does: login(email) }],
    [
      'POST /auth/login',
      'wrong',
      { actions: ['auth.login_refused'], status: 401, does: login(email, 'wrong') },
    ],
    [
      'POST /auth/login',
      'unknown',
      { actions: ['auth.login_refused'], status: 401, does: login('no@example.org') },
    ],
    [
      'POST /auth/refresh',
      'done',
      { actions: ['auth.refreshed'], status: 200, does: refresh(user.refreshToken) },
    ],
    ['POST /auth/refresh', 'unknown', { actions: nothing, status: 401, does: refresh('nobody has it') }],
    [
      'POST /auth/refresh',
      'replayed',
      { actions: ['auth.refresh_token_reused'], status: 401, does: refresh(replayed) },
    ],
    ['POST /auth/refresh', 'replayed again', { actions: nothing, status: 401, does: refresh(replayed) }],
    [
      'POST /auth/logout',
      'done',
      {
        actions: ['auth.logged_out'],
        status: 204,
        does: () => call(`${auth}/logout`, { method: 'POST', token: ended }),
      },
    ],
    [
      'POST /auth/logout',
      'logged out',
      { actions: nothing, status: 401, does: () => call(`${auth}/logout`, { method: 'POST', token: ended }) },
    ],
    [
      'POST /users/me/password',
      'wrong',
      { actions: ['auth.password_refused'], status: 401, does: changePassword('wrong') },
    ],
    [
      'POST /users/me/password',
      'done',
      { actions: ['auth.password_changed'], status: 204, does: changePassword(password) },
    ],
    [
      'POST /users/me/api-keys',
      'done',
      {
        actions: ['auth.api_key_created'],
        status: 201,
        does: () => call(`${me}/api-keys`, { token, body: { name: 'k' } }),
      },
    ],
    [
      'POST /users/me/api-keys',
      'unfit',
      { actions: nothing, status: 422, does: () => call(`${me}/api-keys`, { token, body: {} }) },
    ],
    [
      'DELETE /users/me/api-keys/{id}',
      'done',
      {
        actions: ['auth.api_key_deleted'],
        status: 204,
        does: () => call(`${me}/api-keys/${doomed}`, { method: 'DELETE', token }),
      },
    ],
    [
      'DELETE /users/me/api-keys/{id}',
      'gone',
      {
        actions: nothing,
        status: 404,
        does: () => call(`${me}/api-keys/${doomed}`, { method: 'DELETE', token }),
      },
    ],
    [
      'POST /users/me/webhook-secret',
      'done',
      {
        actions: ['auth.webhook_secret_rotated'],
        status: 200,
        does: () => call(`${me}/webhook-secret`, { method: 'POST', token }),
      },
    ],
    [
      'POST /users/me/webhook-secret',
      'by an API key',
      {
        actions: nothing,
        status: 403,
        does: () => call(`${me}/webhook-secret`, { method: 'POST', token: apiKey }),
      },
    ],
    ['POST /videos/generate', 'done', { actions: ['credits.held'], status: 202, does: generate('once') }],
    ['POST /videos/generate', 'done before', { actions: nothing, status: 202, does: generate('once') }],
    [
      'POST /admin/users/{id}/suspend',
      'not an admin',
      {
        actions: nothing,
        status: 403,
        does: () => call(`${users}/${id}/suspend`, { method: 'POST', token }),
      },
    ],
    ['POST /admin/users/{id}/suspend', 'oneself', { actions: nothing, status: 409, does: suspend(admin.id) }],
    [
      'POST /admin/users/{id}/suspend',
      'done',
      { actions: ['admin.user_suspended'], status: 200, does: suspend(suspended.id) },
    ],
    [
      'POST /admin/users/{id}/suspend',
      'done before',
      { actions: nothing, status: 200, does: suspend(suspended.id) },
    ],
    [
      'POST /auth/login',
      'suspended',
      { actions: ['auth.login_refused'], status: 403, does: login(suspended.email) },
    ],
    [
      'POST /admin/users/{id}/unsuspend',
      'done',
      { actions: ['admin.user_unsuspended'], status: 200, does: unsuspend },
    ],
    ['POST /admin/users/{id}/unsuspend', 'done before', { actions: nothing, status: 200, does: unsuspend }],
    [
      'POST /admin/users/{id}/credits',
      'given',
      { actions: ['credits.granted'], status: 200, does: () => call(`${users}/${id}/credits`, keyed) },
    ],
    [
      'POST /admin/users/{id}/credits',
      'given before',
      { actions: nothing, status: 200, does: () => call(`${users}/${id}/credits`, keyed) },
    ],
    [
      'POST /admin/users/{id}/credits',
      'taken back',
      {
        actions: ['credits.debited'],
        status: 200,
        does: () => call(`${users}/${id}/credits`, { ...asAdmin, body: { ...gift, amount: -1 } }),
      },
    ],
    [
      'POST /admin/users/{id}/credits',
      'too much',
      {
        actions: nothing,
        status: 422,
        does: () => call(`${users}/${id}/credits`, { ...asAdmin, body: { ...gift, amount: -1_000_000 } }),
      },
    ],
    [
      'POST /admin/users/{id}/credits',
      'all taken back',
      {
        actions: ['credits.debited'],
        status: 200,
        does: async () => {
          const { available } = (await call('/api/v1/credits/balance', { token })).json;
          return call(`${users}/${id}/credits`, { ...asAdmin, body: { ...gift, amount: -available } });
        },
      },
    ],
    ['POST /videos/generate', 'too few credits', { actions: nothing, status: 402, does: generate('more') }],
  ];
}

describe('the audit log', () => {
  it('has exactly one row of every deed that had an effect or was refused a password', async () => {
    const walked = new Set<string>();
    for (const [operation, ending, { actions, status, does }] of await deeds()) {
      await api.db.deleteFrom('login_tries').execute();
      const before = (await auditRows(api)).length;
      const answer = await does();
      const written = (await auditRows(api, before)).map(([action]) => action);
      expect([operation, ending, answer.status, written]).toEqual([operation, ending, status, actions]);
      walked.add(operation);
    }
    // What all the others leave is the matter of the table of who may what: nothing, or the hold of a job.
    const managing = (await readOperations(api))
      .filter(({ key, method, tags }) => {
        const isManaging = tags.some((tag) => ['Auth', 'Admin'].includes(tag));
        const audited = expectations[key]?.audit ?? [];
        return method !== 'GET' && (isManaging || audited.some((action) => action !== 'credits.held'));
      })
      .map(({ key }) => key);
    // Whoever adds an operation that manages accounts says here how it can end.
    expect([...walked]).toEqual(expect.arrayContaining(managing));
  });

  it('has one row of a deed that many do at once', async () => {
    const user = await newUser();
    const before = (await auditRows(api)).length;
    const path = `${users}/${user.id}`;
    const post = (deed: string) => call(`${path}/${deed}`, { method: 'POST', token: admin.token });
    await Promise.all(Array.from({ length: 8 }, () => post('suspend')));
    await Promise.all(Array.from({ length: 8 }, () => post('unsuspend')));
    const body = { amount: 1, reason: 'once' };
    const headers = { 'idempotency-key': `once-${user.id}` };
    await Promise.all(
      Array.from({ length: 8 }, () => call(`${path}/credits`, { token: admin.token, body, headers })),
    );
    expect(await auditRows(api, before)).toEqual([
      ['admin.user_suspended', admin.id, user.id],
      ['admin.user_unsuspended', admin.id, user.id],
      ['credits.granted', admin.id, user.id],
    ]);
  });

  it('keeps its rows when whoever did it is gone', async () => {
    const user = await newUser();
    await api.db.deleteFrom('users').where('id', '=', user.id).execute();
    const rows = await auditRows(api);
    expect(rows).toContainEqual(['auth.registered', null, user.id]);
  });
});

describe('a secret', () => {
  it('is in no line of the log and no row but as a hash, whatever is done with it', async () => {
    const user = await newUser();
    const { token, email } = user;
    const key = (await call(`${me}/api-keys`, { token, body: { name: 'k' } })).json.key;
    const half = JSON.stringify({ email, password }).slice(0, -1);
    // Where a client can put a secret by mistake, and what a server is tempted to quote.
    await call(`${auth}/login`, { body: half });
    await call(`${auth}/login`, { body: { email, password: [password] } });
    await call(`${auth}/login`, { body: { email: password, password } });
    await call(`${auth}/login`, { body: { email, [password]: true } });
    await call(`${auth}/login`, { body: { email, password }, headers: { 'content-type': 'text/plain' } });
    await call(`${auth}/refresh`, { body: { refreshToken: user.refreshToken, token } });
    await call(`${me}?access_token=${token}&key=${key}`, { headers: { authorization: token } });
    await call(me, { headers: { authorization: `Basic ${token}`, cookie: `session=${token}` } });
    await call(me, { token: key });
    await call(`${me}/password`, {
      token,
      body: { currentPassword: newPassword, newPassword: password, key },
    });
    await api.db.schema.alterTable('audit_log').renameTo('audit_log_away').execute();
    const broken = [
      await call(`${auth}/login`, credentials(email)),
      await call(`${auth}/register`, credentials('broken@example.com')),
      await call(`${auth}/refresh`, { body: { refreshToken: user.refreshToken } }),
      await call(`${me}/api-keys`, { token, body: { name: 'k' } }),
      await call(`${me}/password`, { token, body: { currentPassword: password, newPassword } }),
    ];
    await api.db.schema.alterTable('audit_log_away').renameTo('audit_log').execute();
    expect(broken.map(({ status }) => status)).toEqual([500, 500, 500, 500, 500]);
    // What failed left nothing behind: the log's row is part of the deed.
    expect((await api.call(me, { token })).status).toBe(200);
    expect((await call(`${auth}/login`, credentials('broken@example.com'))).status).toBe(401);

    const tables = [
      'users',
      'sessions',
      'refresh_tokens',
      'api_keys',
      'audit_log',
      'login_tries',
      'idempotency_keys',
    ] as const;
    const rows = await Promise.all(tables.map((table) => api.db.selectFrom(table).selectAll().execute()));
    const kept = { log: JSON.stringify(api.log), rows: JSON.stringify(rows) };
    expect(api.log.length).toBeGreaterThan(50);
    expect(secrets.size).toBeGreaterThan(20);
    for (const secret of secrets) {
      expect(kept.log.includes(secret), `the log has ${secret}`).toBe(false);
      expect(kept.rows.includes(secret), `the database has ${secret}`).toBe(false);
    }
  });
});
