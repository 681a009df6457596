import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claimNamespace } from '../support/services.js';
import { startApi, type CallOptions, type TestApi } from './support.js';

let api: TestApi;
let token: string;
let userId: string;
beforeAll(async () => {
  api = await startApi({ namespace: await claimNamespace() });
  ({ token, id: userId } = await api.register());
});
afterAll(() => api.stop());

const jobs = '/api/v1/jobs';
const generate = '/api/v1/videos/generate';
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  api.call(path, { token, body, headers });
const countJobs = async () => (await api.db.selectFrom('jobs').select('id').execute()).length;

describe('a video that is asked for', () => {
  it('becomes a queued job with all defaults, in the row and in the engine', async () => {
    const answer = await post(generate, { prompt: 'How tides work' });
    expect(answer.status).toBe(202);
    expect(answer.headers.get('location')).toBe(`${jobs}/${answer.json.id}`);
    expect(answer.json).toMatchObject({
      type: 'explainer',
      status: 'queued',
      overallProgress: 0,
      totalSteps: 9,
      completedSteps: 0,
      currentStep: null,
      result: null,
      error: null,
      credits: { quoted: 1, charged: 0 },
    });
    const row = await api.db
      .selectFrom('jobs')
      .selectAll()
      .where('id', '=', answer.json.id)
      .executeTakeFirstOrThrow();
    expect(row.submitted_at).not.toBeNull();
    expect(row.user_id).toBe(userId);
    expect(row.workflow_input).toEqual({
      jobId: row.id,
      userId,
      videoId: null,
      options: {
        language: 'en',
        sceneCount: null,
        aspectRatio: '16:9',
        resolution: '1080p',
        theme: 'midnight',
        voice: { provider: 'espeak', voiceId: null, speed: 1 },
        captions: { mode: 'burned', style: 'classic' },
        music: null,
        images: { provider: 'slides' },
        transition: 'fade',
        motion: 'kenburns',
        review: null,
      },
    });
    // The workflow id is the job id: starting it again finds it started.
    const again = await api.jobs.start({
      id: row.id,
      type: row.type,
      userId,
      input: row.workflow_input,
      title: '',
    });
    expect(again).toBe('already_started');
  });

  it('is the same by its general address', async () => {
    const parameters = { source: '# Tides\n\nThe moon pulls.', aspectRatio: '9:16', language: 'pt-br' };
    const answer = await post(jobs, { type: 'explainer', parameters });
    expect(answer.status).toBe(202);
    expect(answer.json.parameters).toMatchObject({ ...parameters, language: 'pt-BR' });
  });

  it.each([
    ['nothing', {}, ['body.prompt']],
    ['prompt and source', { prompt: 'a', source: 'b' }, ['body.prompt']],
    [
      'many things at once',
      {
        prompt: 'a',
        theme: 'pink',
        aspectRatio: '4:3',
        voice: { speed: 9, pitch: 1, voiceId: 'klingon' },
        captions: { style: 'comic' },
        sceneCount: 1.5,
        userId: 'someone',
      },
      [
        'body.aspectRatio',
        'body.captions.style',
        'body.sceneCount',
        'body.theme',
        'body.userId',
        'body.voice.pitch',
        'body.voice.speed',
        'body.voice.voiceId',
      ],
    ],
    ['a prompt of spaces', { prompt: '   ' }, ['body.prompt']],
    ['a NUL', { prompt: 'a\0b' }, ['body.prompt']],
    ['half a surrogate pair', { source: 'a\ud800' }, ['body.source']],
    ['a long prompt', { prompt: 'x'.repeat(200_000) }, ['body.prompt']],
    ['a long source', { source: 'x'.repeat(100_001) }, ['body.source']],
    ['no language', { prompt: 'a', language: 'not a tag!' }, ['body.language']],
    ['a language that nobody speaks', { prompt: 'a', language: 'tlh' }, ['body.language']],
    ['too many scenes', { prompt: 'a', sceneCount: 101 }, ['body.sceneCount']],
    ['music of neither kind', { prompt: 'a', music: { volumeDb: 3 } }, ['body.music']],
    [
      'music of both kinds',
      { prompt: 'a', music: { builtin: 'calm', assetId: randomUUID() } },
      ['body.music'],
    ],
    ['a list', [], ['body']],
    ['a word', '"prompt"', ['body']],
  ])('is refused for %s, with every path', async (_name, body, paths) => {
    const before = await countJobs();
    const answer = await post(generate, body);
    expect([answer.status, answer.json.code]).toEqual([422, 'validation_failed']);
    expect(answer.json.errors.map((error: { path: string }) => error.path).toSorted()).toEqual(paths);
    expect(await countJobs()).toBe(before);
  });

  it('is refused for an asset that is not there', async () => {
    const answer = await post(generate, { prompt: 'a', music: { assetId: randomUUID() } });
    expect([answer.status, answer.json.code]).toEqual([422, 'unknown_asset']);
    expect(answer.json.errors[0].path).toBe('body.music.assetId');
  });

  it('takes no options from a prototype', async () => {
    const answer = await post(
      generate,
      '{"prompt":"a","__proto__":{"theme":"paper"},"voice":{"constructor":1}}',
    );
    expect(answer.status).toBe(422);
    expect(answer.json.errors).toContainEqual({
      path: 'body.voice.constructor',
      message: 'there is no such field',
    });
  });

  it('answers broken bodies with what is wrong', async () => {
    const cases: [CallOptions, number, string][] = [
      [{ body: '{"prompt": ' }, 400, 'malformed_json'],
      [{ body: 'prompt=a', headers: { 'content-type': 'text/plain' } }, 415, 'unsupported_media_type'],
      [{ method: 'POST' }, 422, 'validation_failed'],
      [{ body: JSON.stringify({ source: 'x'.repeat(1_100_000) }) }, 413, 'body_too_large'],
    ];
    for (const [options, status, code] of cases) {
      const answer = await api.call(generate, { token, ...options });
      expect([answer.status, answer.json.code]).toEqual([status, code]);
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
      expect(answer.json).toMatchObject({ status, status_code: status });
      expect(answer.json.requestId).toBe(answer.headers.get('x-request-id'));
    }
  });

  it('is refused above the limit also without a Content-Length', async () => {
    const chunk = new TextEncoder().encode('x'.repeat(64 * 1024));
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 1;
        if (sent > 64) controller.close();
        else controller.enqueue(chunk);
      },
    });
    const response = await fetch(`${api.url}${generate}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body,
      duplex: 'half',
    });
    expect(response.status).toBe(413);
  });

  it('takes a type that is not built yet for what it is', async () => {
    const answer = await post(jobs, { type: 'dialogue', parameters: {} });
    expect([answer.status, answer.json.code]).toEqual([422, 'unsupported_job_type']);
    const unknown = await post(jobs, { type: 'nonsense', parameters: {} });
    expect(unknown.json.errors[0].path).toBe('body.type');
    const nested = await post(jobs, { type: 'explainer', parameters: { prompt: 'a', voice: { speed: 9 } } });
    expect(nested.json.errors[0].path).toBe('body.parameters.voice.speed');
  });
});

describe('an idempotency key', () => {
  const body = { prompt: 'Why the sky is blue' };

  it('makes one job of fifty requests at once', async () => {
    const before = await countJobs();
    const key = { 'idempotency-key': randomUUID() };
    const answers = await Promise.all(Array.from({ length: 50 }, () => post(generate, body, key)));
    const accepted = answers.filter((answer) => answer.status === 202);
    expect(await countJobs()).toBe(before + 1);
    expect(accepted.length).toBeGreaterThan(0);
    expect(new Set(accepted.map((answer) => answer.json.id)).size).toBe(1);
    for (const answer of answers) {
      if (answer.status === 202) continue;
      expect([answer.status, answer.json.code]).toEqual([409, 'idempotency_in_flight']);
      expect(answer.headers.get('retry-after')).toBe('1');
    }
    const later = await post(generate, '{ "prompt" : "Why the sky is blue" }', key);
    expect(later.json).toEqual(accepted[0]?.json);
    expect(later.headers.get('idempotency-replayed')).toBe('true');
  });

  it('is refused for another request, and free for another user', async () => {
    const key = { 'idempotency-key': 'one-key' };
    const first = await post(generate, body, key);
    const other = await post(generate, { prompt: 'Why the sea is blue' }, key);
    expect([other.status, other.json.code]).toEqual([422, 'idempotency_key_reused']);
    const elsewhere = await post(jobs, { type: 'explainer', parameters: body }, key);
    expect(elsewhere.json.code).toBe('idempotency_key_reused');
    const stranger = await api.register();
    const theirs = await api.call(generate, { token: stranger.token, body, headers: key });
    expect(theirs.status).toBe(202);
    expect(theirs.json.id).not.toBe(first.json.id);
  });

  it('is free again after a refusal', async () => {
    const key = { 'idempotency-key': 'refused-first' };
    expect((await post(generate, { prompt: '' }, key)).status).toBe(422);
    expect((await post(generate, body, key)).status).toBe(202);
  });

  it('is taken over from a request that died, and forgotten after a day', async () => {
    const stale = async (key: string, age: string, status: number | null) =>
      api.db
        .insertInto('idempotency_keys')
        .values({
          user_id: userId,
          key,
          request_hash: 'of another request',
          response_status: status,
          response_body: status === null ? null : '{}',
          created_at: new Date(Date.now() - Number(age) * 1000),
        })
        .execute();
    await stale('fresh', '30', null);
    await stale('died', '61', null);
    await stale('yesterday', String(24 * 3600 + 1), 202);
    const status = async (key: string) => (await post(generate, body, { 'idempotency-key': key })).status;
    expect([await status('fresh'), await status('died'), await status('yesterday')]).toEqual([422, 202, 202]);
  });

  it('must be printable', async () => {
    const answer = await post(generate, body, { 'idempotency-key': 'a b' });
    expect(answer.json.errors[0].path).toBe('header.Idempotency-Key');
  });
});

describe('the list of jobs', () => {
  it('is paged, filtered and mine', async () => {
    const user = await api.register();
    for (let index = 0; index < 5; index += 1) {
      await api.call(generate, { token: user.token, body: { prompt: `Number ${index}` } });
    }
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page = await api.call(`${jobs}?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`, {
        token: user.token,
      });
      expect(page.status).toBe(200);
      seen.push(...page.json.items.map((job: { parameters: { prompt: string } }) => job.parameters.prompt));
      cursor = page.json.nextCursor;
    }
    expect(seen).toEqual([4, 3, 2, 1, 0].map((index) => `Number ${index}`));
    const none = await api.call(`${jobs}?status=completed&type=stage`, { token: user.token });
    expect(none.json).toEqual({ items: [], nextCursor: null });
    for (const query of ['limit=0', 'limit=101', 'status=done', 'cursor=abc', 'cursor=W10', 'page=2']) {
      const answer = await api.call(`${jobs}?${query}`, { token: user.token });
      expect([query, answer.status]).toEqual([query, 422]);
      expect(answer.json.errors[0].path).toBe(`query.${query.split('=')[0]}`);
    }
  });

  it.each([
    '9999-99-99T99:99:99.000000Z',
    '2026-02-30T00:00:00.000000Z',
    '0000-01-01T00:00:00.000000Z',
    'infinity',
  ])('refuses a cursor that was made up: %s', async (at) => {
    const cursor = Buffer.from(JSON.stringify([at, randomUUID()])).toString('base64url');
    for (const list of [jobs, '/api/v1/videos']) {
      const answer = await api.call(`${list}?cursor=${cursor}`, { token });
      expect([answer.status, answer.json.errors?.[0].path]).toEqual([422, 'query.cursor']);
    }
  });

  it('leaves out and repeats nothing where rows are of the same time', async () => {
    const user = await api.register();
    await Promise.all(
      Array.from({ length: 5 }, () => api.call(generate, { token: user.token, body: { prompt: 'x' } })),
    );
    await sql`update jobs set created_at = '2026-01-02T03:04:05.678901Z' where user_id = ${user.id}`.execute(
      api.db,
    );
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page = await api.call(`${jobs}?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`, {
        token: user.token,
      });
      seen.push(...page.json.items.map((job: { id: string }) => job.id));
      cursor = page.json.nextCursor;
    }
    expect([seen.length, new Set(seen).size]).toEqual([5, 5]);
  });
});

describe('while the engine is away', () => {
  let away: TestApi;
  let theirs: string;
  beforeAll(async () => {
    // Port 9 is discard, which nobody serves.
    away = await startApi({ temporalAddress: '127.0.0.1:9' });
    theirs = (await away.register()).token;
  });
  afterAll(() => away.stop());

  it('a job is accepted within three seconds and stays for the sweeper', async () => {
    const startedAt = Date.now();
    const answer = await away.call(generate, { token: theirs, body: { prompt: 'Patience' } });
    expect(answer.status).toBe(202);
    expect(Date.now() - startedAt).toBeLessThan(3_000);
    const row = await away.db.selectFrom('jobs').selectAll().executeTakeFirstOrThrow();
    expect([row.status, row.submitted_at]).toEqual(['queued', null]);
    const read = await away.call(`${jobs}/${row.id}`, { token: theirs });
    expect([read.json.status, read.json.totalSteps]).toEqual(['queued', 9]);
  });

  it('a job that it never got is cancelled at once, and only once', async () => {
    const { json } = await away.call(generate, { token: theirs, body: { prompt: 'Never mind' } });
    const first = await away.call(`${jobs}/${json.id}`, { method: 'DELETE', token: theirs });
    expect([first.status, first.json.status]).toEqual([200, 'cancelled']);
    const second = await away.call(`${jobs}/${json.id}`, { method: 'DELETE', token: theirs });
    expect([second.status, second.json.completedAt]).toEqual([200, first.json.completedAt]);

    const retried = await away.call(`${jobs}/${json.id}/retry`, { method: 'POST', token: theirs });
    expect(retried.status).toBe(202);
    expect(retried.json).toMatchObject({ retryOf: json.id, status: 'queued', parameters: json.parameters });
    const row = await away.db
      .selectFrom('jobs')
      .selectAll()
      .where('id', '=', retried.json.id)
      .executeTakeFirstOrThrow();
    expect(row.workflow_input['jobId']).toBe(row.id);
    const notYet = await away.call(`${jobs}/${row.id}/retry`, { method: 'POST', token: theirs });
    expect(notYet.json.code).toBe('job_not_retryable');
  });

  it('a running job answers from its row, and its cancel is written down', async () => {
    const { json } = await away.call(generate, { token: theirs, body: { prompt: 'Running' } });
    await away.db
      .updateTable('jobs')
      .set({ status: 'in_progress', submitted_at: new Date(), overall_progress: 41.5 })
      .where('id', '=', json.id)
      .execute();
    await sleep(350);
    const read = await away.call(`${jobs}/${json.id}`, { token: theirs });
    expect(read.json).toMatchObject({ status: 'in_progress', overallProgress: 41.5 });
    const startedAt = Date.now();
    await sleep(350);
    await away.call(`${jobs}/${json.id}`, { token: theirs });
    expect(Date.now() - startedAt).toBeLessThan(1_000);
    const cancelled = await away.call(`${jobs}/${json.id}`, { method: 'DELETE', token: theirs });
    expect(cancelled.status).toBe(202);
    const row = await away.db
      .selectFrom('jobs')
      .selectAll()
      .where('id', '=', json.id)
      .executeTakeFirstOrThrow();
    expect(row.cancel_requested_at).not.toBeNull();
  });

  it('an approval is answered 503, and readiness says what is missing', async () => {
    const { json } = await away.call(generate, { token: theirs, body: { prompt: 'x', review: 'script' } });
    await away.db
      .updateTable('jobs')
      .set({ status: 'awaiting_approval', submitted_at: new Date() })
      .where('id', '=', json.id)
      .execute();
    const answer = await away.call(`${jobs}/${json.id}/approval`, {
      token: theirs,
      body: { approved: true },
    });
    expect([answer.status, answer.json.code]).toEqual([503, 'engine_unavailable']);
    expect(answer.headers.get('retry-after')).toBe('5');
    const ready = await away.call('/ready');
    expect(ready.status).toBe(503);
    expect(ready.json.checks).toEqual({ database: 'up', storage: 'up', temporal: 'down' });
  }, 20_000);
});
