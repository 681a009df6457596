import { afterAll, beforeAll, expect, it } from 'vitest';
import { addVideo, type Gallery } from './gallery.js';
import { startApi, type TestApi } from './support.js';

let api: TestApi;
let owner: string;
let stranger: string;
let gallery: Gallery;

beforeAll(async () => {
  api = await startApi();
  const user = await api.register();
  owner = user.token;
  stranger = (await api.register()).token;
  gallery = await addVideo(api, user.id);
});
afterAll(() => api.stop());

it('lists nothing of theirs', async () => {
  for (const path of ['/api/v1/jobs', '/api/v1/videos']) {
    expect((await api.call(path, { token: stranger })).json.items).toEqual([]);
    expect((await api.call(path, { token: owner })).json.items).toHaveLength(1);
  }
});

it('takes only artifacts of one’s own into a stage, and of the kind that it needs', async () => {
  const body = {
    scriptArtifact: gallery.artifacts.script,
    pictureArtifacts: [gallery.artifacts.content],
    voiceArtifacts: [gallery.artifacts.script],
    captionsArtifact: gallery.artifacts.captions,
  };
  const theirs = await api.call('/api/v1/stages/assembly', { token: stranger, body });
  expect([theirs.status, theirs.json.code]).toEqual([422, 'unknown_artifact']);
  expect(theirs.json.errors.map((error: { path: string }) => error.path)).toEqual([
    'body.scriptArtifact',
    'body.pictureArtifacts.0',
    'body.voiceArtifacts.0',
    'body.captionsArtifact',
  ]);
  const mine = await api.call('/api/v1/stages/assembly', { token: owner, body });
  expect(mine.json.errors.map((error: { path: string }) => error.path)).toEqual([
    'body.pictureArtifacts.0',
    'body.voiceArtifacts.0',
  ]);
  const stage = await api.call('/api/v1/stages/images', {
    token: owner,
    body: { scriptArtifact: gallery.artifacts.script, theme: 'aurora' },
  });
  expect(stage.status).toBe(202);
  expect(stage.json).toMatchObject({ type: 'stage', totalSteps: 1, parameters: { stage: 'images' } });
  const row = await api.db
    .selectFrom('jobs')
    .select('workflow_input')
    .where('id', '=', stage.json.id)
    .executeTakeFirstOrThrow();
  expect(row.workflow_input).toMatchObject({
    stage: 'images',
    script: gallery.artifacts.script,
    content: null,
    pictures: [],
    voices: [],
    captions: null,
    options: { theme: 'aurora', motion: 'kenburns' },
  });
  const nested = await api.call('/api/v1/jobs', {
    token: stranger,
    body: { type: 'stage', parameters: { stage: 'images', scriptArtifact: gallery.artifacts.script } },
  });
  expect(nested.json.errors[0].path).toBe('body.parameters.scriptArtifact');
});

it('changes one scene at a time', async () => {
  const scene = `/api/v1/videos/${gallery.videoId}/scenes/2`;
  const edit = (body: unknown) => api.call(scene, { method: 'PATCH', token: owner, body });
  for (const [body, path] of [
    [{}, 'body'],
    [{ heading: '' }, 'body.heading'],
    [{ number: 1, heading: 'x' }, 'body.number'],
    [{ bullets: Array(9).fill('x') }, 'body.bullets'],
  ] as const) {
    expect((await edit(body)).json.errors[0].path).toBe(path);
  }
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => edit({ heading: 'Ebb', bullets: ['low'] })),
  );
  const accepted = answers.filter((answer) => answer.status === 202);
  expect(accepted).toHaveLength(1);
  for (const answer of answers) if (answer.status !== 202) expect(answer.json.code).toBe('video_busy');
  const job = await api.db
    .selectFrom('jobs')
    .selectAll()
    .where('id', '=', accepted[0]?.json.id)
    .executeTakeFirstOrThrow();
  expect(job).toMatchObject({
    type: 'explainer',
    video_id: gallery.videoId,
    edits: [{ number: 2, heading: 'Ebb', bullets: ['low'] }],
    workflow_input: { jobId: job.id, videoId: gallery.videoId, options: { theme: 'paper', review: null } },
  });
  const video = await api.call(`/api/v1/videos/${gallery.videoId}`, { token: owner });
  expect(video.json.status).toBe('editing');
  expect(
    (await api.call(`/api/v1/videos/${gallery.videoId}`, { method: 'DELETE', token: owner })).json.code,
  ).toBe('video_busy');
  const missing = await api.call(`/api/v1/videos/${gallery.videoId}/scenes/3`, {
    method: 'PATCH',
    token: owner,
    body: { heading: 'x' },
  });
  expect(missing.status).toBe(404);

  await api.db.updateTable('jobs').set({ status: 'failed' }).where('id', '=', job.id).execute();
  const retried = await api.call(`/api/v1/jobs/${job.id}/retry`, { method: 'POST', token: owner });
  expect(retried.status).toBe(202);
  const again = await api.db
    .selectFrom('jobs')
    .selectAll()
    .where('id', '=', retried.json.id)
    .executeTakeFirstOrThrow();
  expect(again).toMatchObject({ video_id: gallery.videoId, edits: job.edits, retry_of: job.id });
});

it('renames and removes a video', async () => {
  const user = await api.register();
  const { videoId } = await addVideo(api, user.id);
  const path = `/api/v1/videos/${videoId}`;
  const named = await api.call(path, {
    method: 'PUT',
    token: user.token,
    body: { title: 'Ebb', description: '' },
  });
  expect(named.json).toMatchObject({ title: 'Ebb', description: '', status: 'ready' });
  const found = await api.call('/api/v1/videos?query=EB', { token: user.token });
  expect(found.json.items).toHaveLength(1);
  expect((await api.call('/api/v1/videos?query=%25', { token: user.token })).json.items).toHaveLength(0);
  expect((await api.call(path, { method: 'DELETE', token: user.token })).status).toBe(204);
  expect((await api.call(path, { token: user.token })).status).toBe(404);
});
