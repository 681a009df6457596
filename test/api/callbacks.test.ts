import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { webhookSecrets } from '../../db/webhook-secrets.js';
import { startApi, type TestApi } from './support.js';

let api: TestApi;
let token: string;
let userId: string;
beforeAll(async () => {
  api = await startApi();
  ({ token, id: userId } = await api.register());
});
afterAll(() => api.stop());

const post = (callbackUrl: unknown) =>
  api.call('/api/v1/jobs', {
    token,
    body: { type: 'explainer', parameters: { prompt: 'Tides' }, callbackUrl },
  });
const countJobs = async () => (await api.db.selectFrom('jobs').select('id').execute()).length;

describe('a callback address', () => {
  it('is kept with the job and its retry, and shown', async () => {
    const callbackUrl = 'https://hooks.example.com/in?token=1';
    const answer = await post(callbackUrl);
    expect([answer.status, answer.json.callbackUrl]).toEqual([202, callbackUrl]);
    const { id } = answer.json;
    await api.db.updateTable('jobs').set({ status: 'failed' }).where('id', '=', id).execute();
    const again = await api.call(`/api/v1/jobs/${id}/retry`, { method: 'POST', token });
    expect([again.status, again.json.callbackUrl]).toEqual([202, callbackUrl]);
    expect(JSON.stringify(api.log)).not.toContain('token=1');
  });

  it.each([
    'http://example.com/',
    'https://127.0.0.1/',
    'https://0x7f.1/',
    'https://2130706433/',
    'https://[::ffff:127.0.0.1]/',
    'https://[fd00::1]/',
    'https://169.254.169.254/latest/meta-data',
    'https://100.64.1.1/',
    'https://localhost/',
    'https://a:b@example.com/',
    'javascript:alert(1)',
    'nowhere',
    '',
    7,
    `https://example.com/${'x'.repeat(2_000)}`,
  ])('%s is refused by its path, and nothing is begun', async (callbackUrl) => {
    const before = await countJobs();
    const answer = await post(callbackUrl);
    expect([answer.status, answer.json.errors?.[0]?.path]).toEqual([422, 'body.callbackUrl']);
    expect(await countJobs()).toBe(before);
  });
});

describe('the secret that callbacks are signed with', () => {
  const path = '/api/v1/users/me/webhook-secret';

  it('is the user’s own, stays, and is never in a log', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => api.call(path, { token })));
    const [{ secret, previousValidUntil }] = all.map((answer) => answer.json);
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(previousValidUntil).toBeNull();
    expect(new Set(all.map((answer) => answer.json.secret)).size).toBe(1);
    const other = await api.register();
    expect((await api.call(path, { token: other.token })).json.secret).not.toBe(secret);
    expect(JSON.stringify(api.log)).not.toContain(secret);
  });

  it('is replaced, while the old one signs along for a day', async () => {
    const { secret: old } = (await api.call(path, { token })).json;
    const rotated = await api.call(path, { method: 'POST', token });
    expect(rotated.status).toBe(200);
    expect(rotated.json.secret).not.toBe(old);
    const hours = (Date.parse(rotated.json.previousValidUntil) - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(23.9);
    expect(hours).toBeLessThanOrEqual(24.01);
    expect(await webhookSecrets(api.db, userId)).toEqual([rotated.json.secret, old]);
    await api.db
      .updateTable('webhook_secrets')
      .set({ rotated_at: new Date(Date.now() - 25 * 3_600_000) })
      .where('user_id', '=', userId)
      .execute();
    expect(await webhookSecrets(api.db, userId)).toEqual([rotated.json.secret]);
  });
});
