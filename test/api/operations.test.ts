import { once } from 'node:events';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../db/database.js';
import { createS3Storage } from '../../storage/s3.js';
import { addVideo } from './gallery.js';
import { startApi, type Json, type TestApi } from './support.js';

/** Any method, also those that `fetch` refuses. */
async function request(url: string, method: string, bearer: string) {
  const sent = http.request(url, { method, headers: { authorization: `Bearer ${bearer}` } }).end();
  const [answer] = (await once(sent, 'response')) as [http.IncomingMessage];
  return { status: answer.statusCode, allow: answer.headers.allow, body: await text(answer) };
}

let api: TestApi;
let token: string;
beforeAll(async () => {
  api = await startApi();
  ({ token } = await api.register());
});
afterAll(() => api.stop());

describe('the OpenAPI document', () => {
  let document: Json;
  beforeAll(async () => {
    document = (await api.call('/openapi.json')).json;
  });

  it('names what stands in each address', () => {
    expect(document.openapi).toBe('3.1.0');
    for (const [path, methods] of Object.entries<Json>(document.paths)) {
      for (const operation of Object.values<Json>(methods)) {
        const named = [...path.matchAll(/{(\w+)}/g)].map(([, name]) => name);
        const declared = (operation.parameters ?? []).filter((parameter: Json) => parameter.in === 'path');
        expect(declared.map((parameter: Json) => parameter.name).toSorted(), path).toEqual(named.toSorted());
      }
    }
  });

  it('refers to nothing that is not there', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)];
    expect(references.length).toBeGreaterThan(50);
    for (const [, name] of references) expect(document.components.schemas).toHaveProperty(name ?? '');
    expect(document.components.schemas.ExplainerParameters.additionalProperties).toBe(false);
    expect(document.components.securitySchemes.bearer).toEqual({ type: 'http', scheme: 'bearer' });
  });
});

describe('the documents for people', () => {
  it.each(['/docs', '/redoc'])('%s loads everything from here', async (page) => {
    const answer = await api.call(page);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(answer.text).not.toMatch(/https?:\/\//);
    const loaded = [...answer.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address ?? '');
    expect(loaded.length).toBeGreaterThan(2);
    for (const address of loaded) {
      const file = await api.call(address);
      expect([address, file.status]).toEqual([address, 200]);
      expect(file.text.length).toBeGreaterThan(100);
      expect(file.headers.get('content-type')).toMatch(/^(text\/(css|javascript)|image\/png)/);
    }
  });
});

describe('operations', () => {
  it('tell health, readiness and figures without a token', async () => {
    expect((await api.call('/health')).json.status).toBe('ok');
    const ready = await api.call('/ready');
    expect([ready.status, ready.json]).toEqual([
      200,
      { status: 'ready', checks: { database: 'up', storage: 'up', temporal: 'up' } },
    ]);
    await api.call('/api/v1/jobs', { token });
    const metrics = (await api.call('/metrics')).text;
    expect(metrics).toMatch(
      /callsheet_http_request_duration_seconds_count\{method="GET",route="\/api\/v1\/jobs",status="200"\} \d/,
    );
    expect(metrics).toContain('callsheet_jobs_accepted_total');
    expect(metrics).toContain('method="POST",route="/api/v1/auth/register",status="201"');
  });

  it('count what is not there under one name, whatever was asked for', async () => {
    const names = Array.from({ length: 20 }, () => crypto.randomUUID());
    for (const name of names) await api.call(`/api/v1/${name}/${name}`, { token });
    const metrics = (await api.call('/metrics')).text;
    expect(metrics).toMatch(/method="GET",route="none",status="404"} \d/);
    for (const name of names) expect(metrics).not.toContain(name);
  });

  it('give each answer an id, a client’s own where it is harmless', async () => {
    const given = await api.call('/health', { headers: { 'x-request-id': 'abc-1' } });
    expect(given.headers.get('x-request-id')).toBe('abc-1');
    const refused = await api.call('/health', { headers: { 'x-request-id': 'a b<script>' } });
    expect(refused.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    const line = api.log.find((entry) => entry.requestId === 'abc-1');
    expect(line).toMatchObject({ name: 'api', stage: 'http', action: 'GET /health', success: true });
    expect(line.ts).toMatch(/^\d{4}-\d\d-\d\dT/);
  });

  it('say what an address takes when it is asked by another method', async () => {
    const id = crypto.randomUUID();
    for (const [method, path, allow] of [
      ['TRACE', '/health', 'GET, HEAD'],
      ['OPTIONS', '/docs', 'GET, HEAD'],
      ['DELETE', '/api/v1/users/me', 'GET, HEAD, PUT'],
      ['POST', `/api/v1/jobs/${id}`, 'DELETE, GET, HEAD'],
      ['PUT', `/api/v1/videos/${id}/captions.vtt`, 'GET, HEAD'],
    ] as const) {
      const answer = await request(`${api.url}${path}`, method, token);
      expect([method, path, answer.status, answer.allow]).toEqual([method, path, 405, allow]);
      expect(answer.body).toContain('"code":"method_not_allowed"');
    }
    const nothing = await request(`${api.url}/api/v1/videos/${id}/captionsXvtt`, 'PUT', token);
    expect([nothing.status, nothing.allow]).toEqual([404, undefined]);
  });

  it('never show what broke', async () => {
    const broken = await startApi();
    const user = await broken.register();
    await broken.db.schema.alterTable('jobs').renameTo('jobs_elsewhere').execute();
    const answer = await broken.call('/api/v1/jobs', { token: user.token });
    expect([answer.status, answer.json.code]).toEqual([500, 'internal_error']);
    expect(answer.text).not.toMatch(/relation|jobs_|select|node_modules|stack/i);
    const logged = broken.log.find((entry) => entry.requestId === answer.json.requestId && entry.err);
    expect(logged.err.message).toContain('relation "jobs" does not exist');
    await broken.stop();
  });

  it('say which dependency is down, and requests that need it are told to come back', async () => {
    const db = openDatabase(
      { url: 'postgres://nobody@127.0.0.1:9/none', schema: 'none', poolSize: 2 },
      () => {
        // Nothing idles here.
      },
    );
    const storage = createS3Storage({
      endpoint: 'http://127.0.0.1:9',
      region: 'us-east-1',
      bucket: 'none',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      forcePathStyle: true,
    });
    const alone = await startApi({ db, storage, temporalAddress: '127.0.0.1:9' });
    const ready = await alone.call('/ready');
    expect(ready.status).toBe(503);
    expect(ready.json.checks).toEqual({ database: 'down', storage: 'down', temporal: 'down' });
    expect((await alone.call('/health')).status).toBe(200);
    const answer = await alone.call('/api/v1/jobs', { token });
    expect([answer.status, answer.json.code]).toEqual([503, 'database_unavailable']);
    expect(answer.headers.get('retry-after')).toBe('5');
    await alone.stop();
    await db.destroy();

    const unstored = await startApi({ db: api.db, storage });
    const user = await api.call('/api/v1/users/me', { token });
    const { videoId } = await addVideo(api, user.json.id);
    for (const file of ['stream', 'thumbnail', 'thumbnail?width=320', 'captions.vtt']) {
      const lost = await unstored.call(`/api/v1/videos/${videoId}/${file}`, { token });
      expect([file, lost.status, lost.json.code]).toEqual([file, 503, 'storage_unavailable']);
    }
    await unstored.stop();
  });

  it('end event streams when the process drains', async () => {
    const draining = await startApi({ temporalAddress: '127.0.0.1:9' });
    const user = await draining.register();
    const job = await draining.call('/api/v1/videos/generate', { token: user.token, body: { prompt: 'x' } });
    const response = await fetch(`${draining.url}/api/v1/jobs/${job.json.id}/events`, {
      headers: { authorization: `Bearer ${user.token}` },
    });
    const body = response.text();
    const lines = draining.log.length;
    const asked = await draining.call(`/api/v1/jobs/${job.json.id}/events`, {
      method: 'HEAD',
      token: user.token,
    });
    expect([asked.status, asked.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    expect(draining.log.slice(lines).map((line) => line.action)).toContain('HEAD /api/v1/jobs/:id/events');
    await sleep(300);
    draining.drain();
    expect(await body).toContain('event: job');
    await draining.stop();
  });
});
