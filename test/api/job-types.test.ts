import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBelongings, type Belongings } from './belongings.js';
import { startApi, type Json, type TestApi } from './support.js';

let api: TestApi;
let mine: Belongings;
let theirs: Belongings;
beforeAll(async () => {
  api = await startApi();
  mine = await createBelongings(api);
  theirs = await createBelongings(api);
});
afterAll(() => api.stop());

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  api.call(`/api/v1${path}`, { token: mine.token, body, headers });
const callbackUrl = 'https://hooks.example.com/in';

/** Each type with the address that is a shorthand for it, and what it takes. */
const types: [string, string, (owner: Belongings) => object][] = [
  ['conversion', '/convert', (owner) => ({ assetId: owner.videoAssetId, crf: 23, audioBitrate: '128k' })],
  ['lipsync', '/lipsync', (owner) => ({ videoAssetId: owner.videoAssetId, audioAssetId: owner.assetId })],
  [
    'personalized',
    '/personalized-videos',
    (owner) => ({
      baseVideoAssetId: owner.videoAssetId,
      recipientsAssetId: owner.recipientsAssetId,
      insertMode: 'gold',
      transcript: 'Hello [friend].',
    }),
  ],
];

/** What an accepted job is, without what two of them cannot share. */
async function accepted(answer: Json) {
  expect([answer.status, answer.text]).toEqual([202, expect.any(String)]);
  const { id, createdAt: _, callbackUrl: told, ...shown } = answer.json;
  const row = await api.db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
  const { jobId, ...input } = row.workflow_input;
  expect(jobId).toBe(id);
  const [holds, recipients] = await Promise.all([
    api.db
      .selectFrom('credit_transactions')
      .select(['kind', 'amount', 'item'])
      .where('job_id', '=', id)
      .execute(),
    api.db.selectFrom('job_recipients').select(['position', 'name']).where('job_id', '=', id).execute(),
  ]);
  return { told, row, same: { shown, input, holds, recipients } };
}

describe.each(types)('a job of type %s', (type, address, parametersOf) => {
  it('is the same by its general address as by its own, and is told of when it is over', async () => {
    const parameters = parametersOf(mine);
    const { projectId } = mine;
    const typed = await accepted(await post(address, { ...parameters, projectId }));
    const general = await accepted(await post('/jobs', { type, parameters, projectId, callbackUrl }));
    expect(general.same).toEqual(typed.same);
    expect(general.same.shown).toMatchObject({ type, projectId, parameters });
    expect([typed.told, general.told, general.row.callback_url]).toEqual([null, callbackUrl, callbackUrl]);
  });

  it('is started once for a key', async () => {
    const key = { 'idempotency-key': randomUUID() };
    const body = { type, parameters: parametersOf(mine) };
    const [first, second] = [await post('/jobs', body, key), await post('/jobs', body, key)];
    expect([first.status, second.json.id]).toEqual([202, first.json.id]);
  });

  it('is refused as by its own address, with each path one level deeper', async () => {
    const unknown = { ...parametersOf(mine), pitch: 1 };
    const strange = parametersOf(theirs);
    const [name = ''] = Object.keys(strange);
    const ofAnotherKind = { ...parametersOf(mine), [name]: mine.imageAssetId };
    for (const parameters of [unknown, strange, ofAnotherKind, {}]) {
      const typed = await post(address, parameters);
      const general = await post('/jobs', { type, parameters });
      expect([general.status, general.json.code, general.json.detail]).toEqual([
        422,
        typed.json.code,
        typed.json.detail,
      ]);
      expect(general.json.errors).toEqual(
        typed.json.errors.map(({ path, message }: Json) => ({
          path: path.replace('body.', 'body.parameters.'),
          message,
        })),
      );
    }
    const projectId = theirs.projectId;
    const elsewhere = await post('/jobs', { type, parameters: parametersOf(mine), projectId });
    expect([elsewhere.json.code, elsewhere.json.errors[0].path]).toEqual([
      'unknown_project',
      'body.projectId',
    ]);
    const inside = await post('/jobs', { type, parameters: { ...parametersOf(mine), projectId: null } });
    expect(inside.json.errors[0].path).toBe('body.parameters.projectId');
    const unreachable = { type, parameters: parametersOf(mine), callbackUrl: 'https://127.0.0.1/' };
    expect((await post('/jobs', unreachable)).json.errors[0].path).toBe('body.callbackUrl');
  });

  it('costs what it costs by its own address', async () => {
    const poor = await startApi({ signupCredits: 0 });
    try {
      const owner = await createBelongings(poor);
      const ask = (path: string, body: unknown) => poor.call(`/api/v1${path}`, { token: owner.token, body });
      const parameters = parametersOf(owner);
      const [typed, general] = [await ask(address, parameters), await ask('/jobs', { type, parameters })];
      expect(general.status).toBe(type === 'conversion' ? 202 : 402);
      expect([general.status, general.json.code]).toEqual([typed.status, typed.json.code]);
    } finally {
      await poor.stop();
    }
  });
});

describe('a batch by the general address', () => {
  const parameters = () => ({
    baseVideoAssetId: mine.videoAssetId,
    recipientsAssetId: mine.recipientsAssetId,
    insertMode: 'gold',
  });

  it('is quoted, and not begun', async () => {
    const before = (await api.db.selectFrom('jobs').select('id').execute()).length;
    const dry = { ...parameters(), dryRun: true };
    const typed = await post('/personalized-videos', dry);
    const general = await post('/jobs', { type: 'personalized', parameters: dry, callbackUrl });
    expect([general.status, general.json]).toEqual([200, typed.json]);
    expect(general.json).toMatchObject({ dryRun: true, recipients: 1, credits: { quoted: 1 } });
    const wrong = { ...dry, text: 'Dear {title}' };
    const refused = await post('/jobs', { type: 'personalized', parameters: wrong });
    expect(refused.json.errors).toEqual([
      { path: 'body.parameters.text', message: 'there is no column "title"' },
    ]);
    expect((await api.db.selectFrom('jobs').select('id').execute()).length).toBe(before);
  });

  it('keeps the key that its user brought out of what it shows and was started with', async () => {
    const secret = `sk_${randomUUID()}`;
    const body = {
      ...{ ...parameters(), ttsProvider: 'elevenlabs', elevenlabsVoiceId: 'rachel' },
      elevenlabsApiKey: secret,
    };
    const { row } = await accepted(await post('/jobs', { type: 'personalized', parameters: body }));
    expect(JSON.stringify(row)).not.toContain(secret);
    expect(row.parameters).not.toHaveProperty('elevenlabsApiKey');
    const kept = await api.db.selectFrom('provider_credentials').select('id').execute();
    expect(JSON.stringify(row.workflow_input)).toContain(kept[0]?.id);
  });
});

it.each(['dialogue', 'publication'])('a job of type %s cannot be started yet', async (type) => {
  const answer = await post('/jobs', { type, parameters: {} });
  expect([answer.status, answer.json.code]).toEqual([422, 'unsupported_job_type']);
  expect(answer.json.errors[0].path).toBe('body.type');
});
