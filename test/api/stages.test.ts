import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addVideo } from './gallery.js';
import { startApi, type TestApi } from './support.js';

let api: TestApi;
let token: string;
let userId: string;
beforeAll(async () => {
  api = await startApi();
  ({ token, id: userId } = await api.register());
});
afterAll(() => api.stop());

const post = (path: string, body: unknown) => api.call(`/api/v1${path}`, { token, body });

/** The language that a stage was started with, as the job shows it and as its workflow was told. */
async function languagesOf(path: string, body: object) {
  const answer = await post(path, body);
  expect(answer.status).toBe(202);
  const { workflow_input: input } = await api.db
    .selectFrom('jobs')
    .select('workflow_input')
    .where('id', '=', answer.json.id)
    .executeTakeFirstOrThrow();
  return [answer.json.parameters.language, (input['options'] as { language: string }).language];
}

describe('the language of a stage', () => {
  it('is that of its document unless another is asked for', async () => {
    const { artifacts } = await addVideo(api, userId, 'Gezeiten', { language: 'de' });
    const [content, script] = [{ contentArtifact: artifacts.content }, { scriptArtifact: artifacts.script }];
    expect(await languagesOf('/stages/scripts', content)).toEqual(['de', 'de']);
    expect(await languagesOf('/stages/voices', script)).toEqual(['de', 'de']);
    const general = { type: 'stage', parameters: { stage: 'voices', ...script } };
    expect(await languagesOf('/jobs', general)).toEqual(['de', 'de']);
    expect(await languagesOf('/stages/scripts', { ...content, language: 'fr' })).toEqual(['fr', 'fr']);
    expect(await languagesOf('/stages/voices', { ...script, language: 'pt-br' })).toEqual(['pt-BR', 'pt-BR']);
  });

  it('must be one that a voice speaks, where it is spoken and none is named', async () => {
    const { artifacts } = await addVideo(api, userId, 'bIQ', { language: 'tlh' });
    const script = { scriptArtifact: artifacts.script };
    const silent = await post('/stages/voices', script);
    expect([silent.status, silent.json.errors]).toEqual([
      422,
      [{ path: 'body.language', message: 'no voice speaks this language; name one in voice.voiceId' }],
    ]);
    const nested = await post('/jobs', { type: 'stage', parameters: { stage: 'voices', ...script } });
    expect(nested.json.errors[0].path).toBe('body.parameters.language');
    expect(await languagesOf('/stages/voices', { ...script, voice: { voiceId: 'en-us' } })).toEqual([
      'tlh',
      'tlh',
    ]);
    expect(await languagesOf('/stages/scripts', { contentArtifact: artifacts.content })).toEqual([
      'tlh',
      'tlh',
    ]);
  });

  it('cannot be found in a document whose file is gone', async () => {
    const { artifacts } = await addVideo(api, userId, 'Gone');
    await api.storage.delete(`artifacts/${artifacts.script}`);
    const answer = await post('/stages/voices', { scriptArtifact: artifacts.script });
    expect([answer.status, answer.json.code, answer.json.errors]).toEqual([
      422,
      'unknown_artifact',
      [{ path: 'body.scriptArtifact', message: 'is no longer in storage' }],
    ]);
  });
});
