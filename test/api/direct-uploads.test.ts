import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Db } from '../../db/database.js';
import { createS3Storage } from '../../storage/s3.js';
import { createTestFolder } from '../support/services.js';
import { startApi, type Json, type TestApi } from './support.js';
import { leftovers, makeMedia, testTone } from './uploads.js';

const s3 = () => {
  const { endpoint, bucket, accessKeyId, secretAccessKey } = inject('s3');
  const credentials = { accessKeyId, secretAccessKey };
  return createS3Storage({ endpoint, bucket, credentials, region: 'us-east-1', forcePathStyle: true });
};

describe.each(['local', 's3'] as const)('a direct upload to %s storage', (kind) => {
  let api: TestApi;
  let tone: Buffer;

  beforeAll(async () => {
    api = await startApi(kind === 's3' ? { storage: s3() } : {});
    tone = await makeMedia((await createTestFolder('direct')).path, 't.mp3', testTone);
  });
  afterAll(() => api.stop());

  async function begin(token: string, body: object = {}): Promise<Json> {
    const answer = await api.call('/api/v1/assets/uploads', {
      token,
      body: { kind: 'music', fileName: 't.mp3', bytes: tone.length, ...body },
    });
    expect(answer.status).toBe(201);
    return answer.json;
  }

  async function put(begun: Json, bytes: Buffer, headers: Record<string, string> = {}): Promise<number> {
    const { 'content-length': _length, ...others } = begun.headers;
    const url = new URL(begun.url, api.url);
    const answer = await fetch(url, {
      method: begun.method,
      headers: { ...others, ...headers },
      body: new Uint8Array(bytes),
    }).catch(() => undefined);
    return answer?.status ?? 0;
  }

  const complete = (token: string, id: string) =>
    api.call(`/api/v1/assets/uploads/${id}/complete`, { token, method: 'POST' });
  /** How many connections wait for what this transaction has locked. */
  const waitingFor = async (trx: Db) => {
    const { rows } = await sql<{ count: number }>`
      select count(*)::int from pg_stat_activity
      where pg_backend_pid() = any(pg_blocking_pids(pid))`.execute(trx);
    return rows[0]?.count;
  };
  const waiting = async () =>
    (await leftovers(api)).objects.filter((key: string) => key.startsWith('uploads/'));

  it('becomes an asset when it is complete, once', async () => {
    const { token } = await api.register();
    const begun = await begin(token);
    expect(begun.url).toMatch(kind === 's3' ? /^http.*X-Amz-Signature=/ : /^\/api\/v1\/uploads\/[0-9a-f-]+$/);
    expect(new Date(begun.expiresAt).getTime() - Date.now()).toBeGreaterThan(3_500_000);
    const early = await complete(token, begun.id);
    expect([early.status, early.json.code]).toEqual([409, 'upload_incomplete']);
    expect(await put(begun, tone)).toBeLessThan(300);
    const done = await complete(token, begun.id);
    expect([done.status, done.json.contentType, done.json.bytes]).toEqual([201, 'audio/mpeg', tone.length]);
    const again = await complete(token, begun.id);
    expect([again.status, again.json]).toEqual([200, done.json]);
    expect(await waiting()).toEqual([]);
    expect((await leftovers(api)).intake).toEqual([]);
  });

  it('takes just the bytes that were told, and only what a file may be', async () => {
    const { token } = await api.register();
    const tooMany = await begin(token);
    expect(await put(tooMany, Buffer.concat([tone, tone]))).not.toBe(204);
    expect((await complete(token, tooMany.id)).json.code).toBe('upload_incomplete');
    const tooFew = await begin(token);
    await put(tooFew, tone.subarray(0, 100));
    expect((await complete(token, tooFew.id)).json.code).toBe('upload_incomplete');

    const playlist = Buffer.from('#EXTM3U\nfile:///etc/passwd\n');
    const hostile = await begin(token, { bytes: playlist.length });
    await put(hostile, playlist);
    const refused = await complete(token, hostile.id);
    expect([refused.status, refused.json.code]).toEqual([415, 'unsupported_media']);
    expect((await complete(token, hostile.id)).status).toBe(404);
    expect(await waiting()).not.toContain(`uploads/${hostile.id}`);

    const huge = await api.call('/api/v1/assets/uploads', {
      token,
      body: { kind: 'image', fileName: 'a.png', bytes: 1e12 },
    });
    expect([huge.status, huge.json.code]).toEqual([413, 'media_too_large']);
  });

  it('is nobody else’s', async () => {
    const { token } = await api.register();
    const stranger = await api.register();
    const begun = await begin(token);
    expect((await complete(stranger.token, begun.id)).status).toBe(404);
    if (kind === 'local') {
      expect(await put({ ...begun, headers: {} }, tone)).toBe(404);
      expect(await put(begun, tone, { 'upload-token': 'x'.repeat(43) })).toBe(404);
    } else {
      expect(await put({ ...begun, url: begun.url.replace(begun.id, crypto.randomUUID()) }, tone)).toBe(403);
    }
    expect((await complete(token, begun.id)).json.code).toBe('upload_incomplete');
    await api.db
      .updateTable('uploads')
      .set({ expires_at: new Date(0) })
      .where('id', '=', begun.id)
      .execute();
    if (kind === 'local') expect(await put(begun, tone)).toBe(404);
    expect((await complete(token, begun.id)).status).toBe(404);
  });

  it('is open for a few files at a time, however many ask at once', async () => {
    const { token } = await api.register();
    const body = { kind: 'music', fileName: 't.mp3', bytes: 5 };
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => api.call('/api/v1/assets/uploads', { token, body })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(20);
    for (const { status, json } of answers.filter((answer) => answer.status !== 201)) {
      expect([status, json.code]).toEqual([429, 'too_many_uploads']);
    }
  });

  it.runIf(kind === 'local')('takes nothing from a user who is suspended', async () => {
    const { token, id } = await api.register();
    const begun = await begin(token);
    const setStatus = (status: 'active' | 'suspended') =>
      api.db.updateTable('users').set({ status }).where('id', '=', id).execute();
    await setStatus('suspended');
    expect(await put(begun, tone)).toBe(404);
    expect(await waiting()).toEqual([]);
    await setStatus('active');
    expect(await put(begun, tone)).toBe(204);
  });

  it('names the project when that goes meanwhile', async () => {
    const { token, id: userId } = await api.register();
    const { id: projectId } = (await api.call('/api/v1/projects', { token, body: { name: 'Tides' } })).json;
    const begun = await begin(token, { projectId });
    expect(await put(begun, tone)).toBeLessThan(300);
    const refusal = (answer: Json) => [answer.status, answer.json.code, answer.json.errors?.[0]?.path];
    // The removal holds its project while the two requests have seen it, and wait for what becomes of it.
    const { answers } = await api.db.transaction().execute(async (trx) => {
      await trx.deleteFrom('projects').where('id', '=', projectId).where('user_id', '=', userId).execute();
      const asked = Promise.all([
        complete(token, begun.id),
        api.call('/api/v1/assets/uploads', {
          token,
          body: { kind: 'music', fileName: 't.mp3', bytes: 5, projectId },
        }),
      ]);
      await expect.poll(() => waitingFor(trx), { timeout: 10_000 }).toBe(2);
      return { answers: asked };
    });
    const refused = [422, 'unknown_project', 'body.projectId'];
    expect((await answers).map(refusal)).toEqual([refused, refused]);
    // What was sent is still there for another try, in no project.
    const again = await complete(token, begun.id);
    expect([again.status, again.json.projectId]).toEqual([201, null]);
  });
});
