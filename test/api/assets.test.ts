import { createHash } from 'node:crypto';
import { request } from 'node:http';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestFolder } from '../support/services.js';
import { startApi, type TestApi } from './support.js';
import { leftovers, makeMedia, testPicture, testTone, upload } from './uploads.js';

let api: TestApi;
let folder: string;
let video: Buffer;
let tone: Buffer;

beforeAll(async () => {
  api = await startApi();
  folder = (await createTestFolder('assets')).path;
  video = await makeMedia(folder, 'v.mp4', [...testPicture, ...testTone, '-c:v', 'libx264', '-shortest']);
  tone = await makeMedia(folder, 't.mp3', testTone);
});
afterAll(() => api.stop());

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('an asset', () => {
  it('is what its bytes say, whatever its name and type claim', async () => {
    const { token } = await api.register();
    const sent = await upload(api, token, video, {
      kind: 'video',
      fileName: 'holiday.html',
      type: 'text/html',
    });
    expect(sent.status).toBe(201);
    expect(sent.json).toMatchObject({
      kind: 'video',
      fileName: 'holiday.html',
      contentType: 'video/mp4',
      bytes: video.length,
      sha256: hash(video),
      projectId: null,
      media: { width: 320, height: 240, frameRate: 10, videoCodec: 'h264', audioCodec: 'aac', channels: 1 },
    });
    expect(sent.json.media.durationSeconds).toBeCloseTo(2, 0);
    expect(sent.headers.get('location')).toBe(`/api/v1/assets/${sent.json.id}`);
    expect((await api.call(`/api/v1/assets/${sent.json.id}`, { token })).json).toEqual(sent.json);

    const file = await fetch(`${api.url}${sent.json.url}`, { headers: { authorization: `Bearer ${token}` } });
    expect(hash(new Uint8Array(await file.arrayBuffer()))).toBe(hash(video));
    expect(Object.fromEntries(file.headers)).toMatchObject({
      'content-type': 'video/mp4',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      etag: `"${hash(video)}"`,
    });
    const part = await fetch(`${api.url}${sent.json.url}`, {
      headers: { authorization: `Bearer ${token}`, range: 'bytes=4-7' },
    });
    expect([part.status, await part.text()]).toEqual([206, 'ftyp']);
  });

  it('is there once for each user and kind, also when many bring it at once', async () => {
    const { token, id: userId } = await api.register();
    const answers = await Promise.all(
      [1, 2, 3, 4].map((n) => upload(api, token, tone, { kind: 'music', fileName: `${n}.mp3` })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 201]);
    expect(new Set(answers.map(({ json }) => json.id)).size).toBe(1);
    const other = await upload(api, token, tone, { kind: 'audio' });
    expect(other.status).toBe(201);
    expect(other.json.id).not.toBe(answers[0]?.json.id);
    const stranger = await api.register();
    expect((await upload(api, stranger.token, tone, { kind: 'music' })).status).toBe(201);
    const told = await api.db
      .selectFrom('activities')
      .select('type')
      .where('user_id', '=', userId)
      .where('type', '=', 'asset_created')
      .execute();
    expect(told).toHaveLength(2);
  });

  it('of a picture has an upright rendition without its metadata', async () => {
    const { token } = await api.register();
    const photo = await sharp({ create: { width: 600, height: 400, channels: 3, background: '#a02040' } })
      .withExif({ IFD0: { Copyright: 'canary' } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    const sent = await upload(api, token, photo, { kind: 'image', fileName: 'photo.jpg' });
    expect(sent.json).toMatchObject({ contentType: 'image/jpeg', media: { width: 400, height: 600 } });
    const row = await api.db
      .selectFrom('assets')
      .select('rendition_artifact_id')
      .where('id', '=', sent.json.id)
      .executeTakeFirstOrThrow();
    const stored = await api.storage.read(`artifacts/${row.rendition_artifact_id ?? ''}`);
    const bytes = Buffer.concat((await stored.toArray()) as Buffer[]);
    expect(await sharp(bytes).metadata()).toMatchObject({ width: 400, height: 600, format: 'jpeg' });
    expect((await sharp(bytes).metadata()).exif).toBeUndefined();
  });

  it('is listed by kind and project, and removed with nobody else touched', async () => {
    const { token } = await api.register();
    const project = await api.call('/api/v1/projects', { token, body: { name: 'Tides' } });
    const projectId = project.json.id as string;
    const mine = await upload(api, token, video, { kind: 'video', projectId });
    await upload(api, token, tone, { kind: 'music' });
    const ids = async (query: string) =>
      (await api.call(`/api/v1/assets${query}`, { token })).json.items.map(
        (one: { kind: string }) => one.kind,
      );
    expect(await ids('')).toEqual(['music', 'video']);
    expect(await ids('?kind=music')).toEqual(['music']);
    expect(await ids(`?projectId=${projectId}`)).toEqual(['video']);
    expect(await ids('?limit=1')).toEqual(['music']);
    // Brought again for a project, it goes there.
    await upload(api, token, tone, { kind: 'music', projectId });
    expect(await ids(`?projectId=${projectId}`)).toEqual(['music', 'video']);
    expect((await api.call(`/api/v1/assets/${mine.json.id}`, { method: 'DELETE', token })).status).toBe(204);
    expect((await api.call(`/api/v1/assets/${mine.json.id}`, { token })).status).toBe(404);
    expect(await ids('')).toEqual(['music']);
  });
});

describe('a form', () => {
  it('names what is wrong with it', async () => {
    const { token } = await api.register();
    const before = await leftovers(api);
    const errors = async (fields: Parameters<typeof upload>[3]) => {
      const { status, json } = await upload(api, token, tone, fields);
      return [status, json.code, ...(json.errors ?? []).map((error: { path: string }) => error.path)];
    };
    expect(await errors({})).toEqual([422, 'validation_failed', 'body.kind']);
    expect(await errors({ kind: 'film' })).toEqual([422, 'validation_failed', 'body.kind']);
    const unknown = crypto.randomUUID();
    expect(await errors({ kind: 'music', projectId: unknown })).toEqual([
      422,
      'unknown_project',
      'body.projectId',
    ]);
    const stranger = await api.register();
    const theirs = await api.call('/api/v1/projects', { token: stranger.token, body: { name: 'x' } });
    expect(await errors({ kind: 'music', projectId: theirs.json.id })).toEqual([
      422,
      'unknown_project',
      'body.projectId',
    ]);
    expect(await errors({ kind: 'music', ...({ userId: unknown } as object) })).toEqual([
      422,
      'validation_failed',
      'body.userId',
    ]);
    const json = await api.call('/api/v1/assets', { token, body: { kind: 'music' } });
    expect([json.status, json.json.code]).toEqual([415, 'unsupported_media_type']);
    const broken = await api.call('/api/v1/assets', {
      token,
      body: 'no form',
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
    });
    expect([broken.status, broken.json.code]).toEqual([400, 'malformed_request']);
    const anonymous = await api.call('/api/v1/assets', { body: 'x' });
    expect(anonymous.status).toBe(401);
    expect(await leftovers(api)).toEqual(before);
  });

  it('that its client gives up leaves nothing behind', async () => {
    const { token } = await api.register();
    const before = await leftovers(api);
    const sending = request(`${api.url}/api/v1/assets`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'multipart/form-data; boundary=b' },
    });
    sending.on('error', () => undefined);
    sending.write('--b\r\ncontent-disposition: form-data; name="file"; filename="v.mp4"\r\n\r\n');
    sending.write(Buffer.alloc(300_000, 1));
    const waiting = async () => (await leftovers(api)).intake.length as number;
    await expect.poll(waiting, { timeout: 5_000 }).toBe(1);
    sending.destroy();
    await expect.poll(waiting, { timeout: 5_000 }).toBe(0);
    expect(await leftovers(api)).toEqual(before);
  });
});
