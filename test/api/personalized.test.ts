import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestFolder } from '../support/services.js';
import { startApi, type Answer, type Json, type TestApi } from './support.js';
import { leftovers, makeMedia, testPicture, testTone } from './uploads.js';

type Fields = Record<string, string>;
interface Form {
  fields?: Fields;
  baseVideo?: Buffer;
  recipients?: Buffer | string;
  voiceSample?: Buffer | undefined;
  headers?: Fields;
}

let api: TestApi;
let token: string;
let strangersProject: string;
let base: Buffer;
let silent: Buffer;
let sample: Buffer;

beforeAll(async () => {
  const voices = new Set(['espeak', 'elevenlabs', 'google', 'f5', 'command', 'none'] as const);
  api = await startApi({ offered: { voices, lipSync: new Set(['none', 'viseme', 'wav2lip'] as const) } });
  token = (await api.register()).token;
  const stranger = await api.register();
  const project = { token: stranger.token, body: { name: 'Not yours' } };
  strangersProject = (await api.call('/api/v1/projects', project)).json.id;
  const folder = (await createTestFolder('personalized')).path;
  const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
  base = await makeMedia(folder, 'base.mp4', [...testPicture, ...testTone, ...x264, '-c:a', 'aac']);
  silent = await makeMedia(folder, 'silent.mp4', [...testPicture, ...x264]);
  sample = await makeMedia(folder, 'sample.wav', testTone);
});
afterAll(() => api.stop());

async function send({ fields = {}, headers = {}, ...given }: Form): Promise<Answer> {
  const files: Record<string, Buffer | string | undefined> = {
    ...{ baseVideo: base, recipients: 'name,city\nAda,Rome\n' },
    ...given,
  };
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  for (const [name, content] of Object.entries(files)) {
    if (content === undefined) continue;
    body.append(name, new Blob([typeof content === 'string' ? content : new Uint8Array(content)]), name);
  }
  const response = await fetch(`${api.url}/api/v1/personalized-videos`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, ...headers },
    body,
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: JSON.parse(text) };
}

const problem = ({ status, json }: Answer): unknown[] => [status, json.code, json.errors?.[0]?.path];
const jobs = async (): Promise<Json[]> => (await api.call('/api/v1/jobs', { token })).json.items;

describe('a form that is refused leaves nothing behind', () => {
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>');
  const cases: [what: string, form: () => Form, expected: unknown[]][] = [
    ['a sample that is no sound', () => ({ voiceSample: svg }), [415, 'unsupported_media', undefined]],
    ['a base that is no video', () => ({ baseVideo: svg }), [415, 'unsupported_media', undefined]],
    [
      'a base that is cut off',
      () => ({ baseVideo: base.subarray(0, base.length / 2) }),
      [422, 'damaged_media', undefined],
    ],
    [
      'a table that is none',
      () => ({ recipients: Buffer.alloc(5_000) }),
      [422, 'invalid_recipients', 'recipients'],
    ],
    [
      'a row that is wrong',
      () => ({ recipients: 'name\nAda\n???\n' }),
      [422, 'invalid_recipients', 'recipients.row 3.name'],
    ],
    [
      'a row that leaves nothing to say',
      () => ({ recipients: 'name,city\nAda,!\n', fields: { text: '{city}' } }),
      [422, 'invalid_recipients', 'recipients.row 2'],
    ],
    [
      'a column that is not there',
      () => ({ fields: { text: 'Dear {title}' } }),
      [422, 'validation_failed', 'body.text'],
    ],
    ['a silent base', () => ({ baseVideo: silent }), [422, 'validation_failed', 'body.baseVideo']],
    [
      'a span behind the end of the base',
      () => ({ fields: { placeholders: '[{"startSeconds":1,"endSeconds":9}]' } }),
      [422, 'validation_failed', 'body.placeholders'],
    ],
    [
      'a span too long for its pictures to change',
      () => ({
        fields: {
          insertMode: 'diamond',
          placeholders: '[{"startSeconds":0,"endSeconds":1},{"startSeconds":1,"endSeconds":3600}]',
        },
      }),
      [422, 'validation_failed', 'body.placeholders.1.endSeconds'],
    ],
    [
      'a transcript that is wrong',
      () => ({ fields: { transcript: 'Hello [friend' } }),
      [422, 'validation_failed', 'body.transcript'],
    ],
    [
      'a transcript with far too many parts',
      () => ({ fields: { transcript: '[a] '.repeat(21) } }),
      [422, 'validation_failed', 'body.transcript'],
    ],
    [
      'a provider that is not configured',
      () => ({ fields: { lipSyncProvider: 'sync' } }),
      [422, 'validation_failed', 'body.lipSyncProvider'],
    ],
    [
      "somebody else's project",
      () => ({ fields: { projectId: strangersProject } }),
      [422, 'unknown_project', 'body.projectId'],
    ],
    [
      "an asset that is nobody's, beside files",
      () => ({
        voiceSample: undefined,
        fields: { voiceSampleAssetId: '00000000-0000-4000-8000-000000000000' },
      }),
      [422, 'unknown_asset', 'body.voiceSampleAssetId'],
    ],
    [
      'a file and an asset in one place',
      () => ({ fields: { voiceSampleAssetId: '00000000-0000-4000-8000-000000000000' } }),
      [422, 'validation_failed', 'body.voiceSampleAssetId'],
    ],
    [
      'a key that cannot be one',
      () => ({ headers: { 'idempotency-key': 'ü' } }),
      [422, 'validation_failed', 'header.Idempotency-Key'],
    ],
  ];

  it.each(cases)('%s', async (_, form, expected) => {
    const before = await leftovers(api);
    const answer = await send({ voiceSample: sample, ...form() });
    expect(problem(answer)).toEqual(expected);
    expect(await leftovers(api)).toEqual(before);
    expect(await jobs()).toEqual([]);
  });

  it('and one that is only checked neither', async () => {
    const before = await leftovers(api);
    const { status, json } = await send({ voiceSample: sample, fields: { dryRun: 'true' } });
    expect([status, json]).toMatchObject([200, { recipients: 1, columns: ['name', 'city'] }]);
    expect(await leftovers(api)).toEqual(before);
  });
});

describe('what no recipient could be served with is refused before anything runs', () => {
  it.each<[fields: Fields, path: string | undefined]>([
    [{ voiceId: 'hi' }, undefined],
    [{ voiceId: 'en-gb+f2' }, undefined],
    [{ voiceId: 'nobody' }, 'body.voiceId'],
    [{ lang: 'tlh' }, 'body.lang'],
    [{ lang: 'tlh', voiceId: 'hi' }, undefined],
    [{ lang: 'tlh', voiceId: 'hi', transcript: 'qo [loD]' }, 'body.lang'],
    [{ lang: 'tlh', ttsProvider: 'none' }, undefined],
    [{ lang: 'tlh', ttsProvider: 'google' }, undefined],
    [{ lang: 'tlh', ttsProvider: 'google', transcript: 'qo [loD]' }, 'body.lang'],
    [{ ttsProvider: 'f5' }, undefined],
    [{ ttsProvider: 'f5', voiceId: 'hi' }, 'body.voiceId'],
    [{ ttsProvider: 'command' }, undefined],
    [{ ttsProvider: 'command', voiceId: 'hi' }, 'body.voiceId'],
    [{ elevenlabsVoiceId: 'of another provider' }, undefined],
  ])('%o', async (fields, path) => {
    const answer = await send({ voiceSample: sample, fields: { ...fields, dryRun: 'true' } });
    expect(problem(answer)).toEqual(
      path === undefined ? [200, undefined, undefined] : [422, 'validation_failed', path],
    );
  });

  it.each(['f5', 'elevenlabs'])('%s without a sample', async (ttsProvider) => {
    const answer = await send({ fields: { ttsProvider, dryRun: 'true' } });
    expect(problem(answer)).toEqual([422, 'validation_failed', 'body.voiceSample']);
  });
});

describe('pads', () => {
  const pads = '[0, 20, 0, 0]';
  const wav2lip = { lipSyncProvider: 'wav2lip', insertMode: 'diamond' };

  it.each<[fields: Fields, path: string | undefined]>([
    [{ ...wav2lip, pads }, undefined],
    [{ ...wav2lip, pads: '[0, 20, 0]' }, 'body.pads'],
    [{ ...wav2lip, pads: '[0, 20, 0, -1]' }, 'body.pads.3'],
    [{ ...wav2lip, pads: '[0, 501, 0, 0]' }, 'body.pads.1'],
    [{ ...wav2lip, pads: '[0, 0.5, 0, 0]' }, 'body.pads.1'],
    [{ ...wav2lip, pads: '0 20 0 0' }, 'body.pads'],
    [{ ...wav2lip, pads, lipSyncProvider: 'viseme' }, 'body.pads'],
    [{ pads }, 'body.pads'],
  ])('of a batch: %o', async (fields, path) => {
    const answer = await send({ fields: { ...fields, dryRun: 'true' } });
    expect(problem(answer)).toEqual(
      path === undefined ? [200, undefined, undefined] : [422, 'validation_failed', path],
    );
  });

  it('reach the work of a batch and of a video', async () => {
    const own = (await api.register()).token;
    const headers = { authorization: `Bearer ${own}` };
    const batch = await send({ headers, fields: { ...wav2lip, pads } });
    expect(batch.status).toBe(202);
    const { baseVideoAssetId: videoAssetId } = batch.json.parameters;
    const video = { videoAssetId, audioAssetId: videoAssetId };
    const post = (body: object) => api.call('/api/v1/lipsync', { token: own, body: { ...video, ...body } });
    expect(problem(await post({ pads: [0, 20, 0, 0] }))).toEqual([422, 'validation_failed', 'body.pads']);
    const single = await post({ provider: 'wav2lip', pads: [0, 20, 0, 0] });
    expect(single.status).toBe(202);
    const inputs = await api.db
      .selectFrom('jobs')
      .select('workflow_input')
      .where('id', 'in', [batch.json.id, single.json.id])
      .orderBy('created_at')
      .execute();
    expect(inputs.map(({ workflow_input: input }) => input)).toMatchObject([
      { options: { lipSync: { provider: 'wav2lip', pads: [0, 20, 0, 0] } } },
      { provider: 'wav2lip', pads: [0, 20, 0, 0] },
    ]);
    const document = (await api.call('/openapi.json')).json;
    for (const name of ['PersonalizedVideos', 'Lipsync']) {
      expect(document.components.schemas[name].properties.pads).toMatchObject({
        type: 'array',
        minItems: 4,
        maxItems: 4,
      });
    }
  });
});

it('a form becomes assets and a job that names them, once for a key', async () => {
  const headers = { 'idempotency-key': 'once' };
  const form = { voiceSample: sample, fields: { elevenlabsVoiceId: 'unused' }, headers };
  const first = await send(form);
  expect(first.status).toBe(202);
  const { items } = (await api.call('/api/v1/assets', { token })).json;
  const idOf = (kind: string) => items.find((asset: Json) => asset.kind === kind)?.id;
  expect(items).toHaveLength(3);
  expect(first.json.parameters).toMatchObject({
    baseVideoAssetId: idOf('video'),
    recipientsAssetId: idOf('recipients'),
    voiceSampleAssetId: idOf('voice_sample'),
  });
  const row = await api.db
    .selectFrom('jobs')
    .select('workflow_input')
    .where('id', '=', first.json.id)
    .executeTakeFirstOrThrow();
  expect(row.workflow_input).toMatchObject({
    base: expect.stringMatching(/^[0-9a-f]{64}\.mp4$/),
    recipientCount: 1,
    options: { voice: { voiceId: null, sample: expect.stringMatching(/^[0-9a-f]{64}\.wav$/) } },
  });

  const again = await send(form);
  expect([again.status, again.json.id]).toEqual([202, first.json.id]);
  const other = await send({ ...form, recipients: 'name,city\nBo,Rome\n' });
  expect(problem(other)).toEqual([422, 'idempotency_key_reused', undefined]);
  expect(await jobs()).toHaveLength(1);
  expect((await api.call('/api/v1/assets', { token })).json.items).toHaveLength(3);
});
