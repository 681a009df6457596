import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestFolder } from '../support/services.js';
import { addVideo } from './gallery.js';
import { startApi, type Json, type TestApi } from './support.js';
import { makeMedia, testTone, upload } from './uploads.js';

let api: TestApi;
let tone: Buffer;
let picture: Buffer;

beforeAll(async () => {
  api = await startApi();
  tone = await makeMedia((await createTestFolder('projects')).path, 't.mp3', testTone);
  picture = await sharp({ create: { width: 80, height: 60, channels: 3, background: '#305080' } })
    .png()
    .toBuffer();
});
afterAll(() => api.stop());

const begin = async (token: string, body: object = { name: 'Tides' }): Promise<Json> =>
  (await api.call('/api/v1/projects', { token, body })).json;
const activityTypes = async (userId: string) => {
  const rows = await api.db
    .selectFrom('activities')
    .select('type')
    .where('user_id', '=', userId)
    .where(sql<boolean>`type like 'project%'`)
    .orderBy('created_at')
    .execute();
  return rows.map(({ type }) => type);
};
const jobInputs = async (jobId: string) => {
  const rows = await api.db
    .selectFrom('job_inputs')
    .select('artifact_id')
    .where('job_id', '=', jobId)
    .execute();
  return rows.map((row) => row.artifact_id);
};
const row = (id: string) =>
  api.db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

describe('a project', () => {
  it('is begun, listed, changed and removed', async () => {
    const { token, id: userId } = await api.register();
    const made = await begin(token, { name: ' Tides ', description: 'of the sea' });
    expect(made).toMatchObject({ name: 'Tides', description: 'of the sea', status: 'draft' });
    const path = `/api/v1/projects/${made.id}`;
    const changed = await api.call(path, { method: 'PUT', token, body: { status: 'active' } });
    expect(changed.json).toMatchObject({ id: made.id, name: 'Tides', status: 'active' });
    await begin(token, { name: 'Other' });
    const names = async (query: string) =>
      (await api.call(`/api/v1/projects${query}`, { token })).json.items.map((one: Json) => one.name);
    expect(await names('')).toEqual(['Other', 'Tides']);
    expect(await names('?status=active')).toEqual(['Tides']);
    expect((await api.call(path, { method: 'DELETE', token })).status).toBe(204);
    expect((await api.call(path, { token })).status).toBe(404);
    expect(await activityTypes(userId)).toEqual([
      'project_created',
      'project_updated',
      'project_created',
      'project_deleted',
    ]);
  });

  it('refuses what does not fit, and is nobody else’s', async () => {
    const { token } = await api.register();
    const stranger = await api.register();
    for (const [body, path] of [
      [{}, 'body.name'],
      [{ name: ' ' }, 'body.name'],
      [{ name: 'x', status: 'done' }, 'body.status'],
      [{ name: 'x', userId: stranger.id }, 'body.userId'],
    ] as const) {
      const answer = await api.call('/api/v1/projects', { token, body });
      expect([answer.status, answer.json.errors[0].path]).toEqual([422, path]);
    }
    const { id } = await begin(token);
    for (const [method, body] of [
      ['GET', undefined],
      ['PUT', { name: 'Mine now' }],
      ['DELETE', undefined],
    ] as const) {
      const answer = await api.call(`/api/v1/projects/${id}`, {
        method,
        token: stranger.token,
        ...(body === undefined ? {} : { body }),
      });
      expect([method, answer.status]).toEqual([method, 404]);
    }
    expect((await api.call(`/api/v1/projects/${id}`, { token })).json.name).toBe('Tides');
  });

  async function filled(): Promise<{
    token: string;
    projectId: string;
    videoId: string;
    assetId: string;
    jobId: string;
  }> {
    const { token, id: userId } = await api.register();
    const { id: projectId } = await begin(token);
    const { videoId, jobId } = await addVideo(api, userId);
    await api.db.updateTable('videos').set({ project_id: projectId }).where('id', '=', videoId).execute();
    await api.db.updateTable('jobs').set({ project_id: projectId }).where('id', '=', jobId).execute();
    const sent = await upload(api, token, tone, { kind: 'music', projectId });
    return { token, projectId, videoId, assetId: sent.json.id, jobId };
  }

  it('with contents asks what is to become of them', async () => {
    const { token, projectId, videoId, assetId, jobId } = await filled();
    const path = `/api/v1/projects/${projectId}`;
    const asked = await api.call(path, { method: 'DELETE', token });
    expect([asked.status, asked.json.code]).toEqual([409, 'project_not_empty']);
    expect(asked.json.detail).toContain('1 jobs, 1 videos and 1 assets');
    expect((await api.call(`${path}?contents=burn`, { method: 'DELETE', token })).status).toBe(422);
    expect((await api.call(`${path}?contents=keep`, { method: 'DELETE', token })).status).toBe(204);
    for (const thing of [`videos/${videoId}`, `assets/${assetId}`, `jobs/${jobId}`]) {
      const kept = await api.call(`/api/v1/${thing}`, { token });
      expect([thing, kept.status, kept.json.projectId]).toEqual([thing, 200, null]);
    }
  });

  it('takes its videos and assets along when told to, and leaves its jobs', async () => {
    const { token, projectId, videoId, assetId, jobId } = await filled();
    const path = `/api/v1/projects/${projectId}?contents=delete`;
    await api.db.updateTable('jobs').set({ status: 'in_progress' }).where('id', '=', jobId).execute();
    const busy = await api.call(path, { method: 'DELETE', token });
    expect([busy.status, busy.json.code]).toEqual([409, 'project_busy']);
    await api.db.updateTable('jobs').set({ status: 'completed' }).where('id', '=', jobId).execute();
    expect((await api.call(path, { method: 'DELETE', token })).status).toBe(204);
    expect((await api.call(`/api/v1/videos/${videoId}`, { token })).status).toBe(404);
    expect((await api.call(`/api/v1/assets/${assetId}`, { token })).status).toBe(404);
    expect((await api.call(`/api/v1/jobs/${jobId}`, { token })).json).toMatchObject({ projectId: null });
  });
});

describe('a job', () => {
  it('belongs to a project of its user’s, with what it makes', async () => {
    const { token } = await api.register();
    const stranger = await api.register();
    const { id: projectId } = await begin(token);
    const theirs = await begin(stranger.token);
    const generate = (body: object) =>
      api.call('/api/v1/videos/generate', { token, body: { prompt: 'Tides', ...body } });
    const job = await generate({ projectId });
    expect([job.status, job.json.projectId]).toEqual([202, projectId]);
    expect(job.json.parameters).not.toHaveProperty('projectId');
    for (const wrong of [theirs.id, randomUUID()]) {
      const refused = await generate({ projectId: wrong });
      expect([refused.status, refused.json.code, refused.json.errors[0].path]).toEqual([
        422,
        'unknown_project',
        'body.projectId',
      ]);
    }
    const general = await api.call('/api/v1/jobs', {
      token,
      body: { type: 'stage', projectId, parameters: { stage: 'content', prompt: 'Tides' } },
    });
    expect(general.json.projectId).toBe(projectId);
    const listed = await api.call(`/api/v1/jobs?projectId=${projectId}`, { token });
    expect(listed.json.items.map((one: Json) => one.id).sort()).toEqual(
      [job.json.id, general.json.id].sort(),
    );
    await api.db.updateTable('jobs').set({ status: 'failed' }).where('id', '=', job.json.id).execute();
    const retried = await api.call(`/api/v1/jobs/${job.json.id}/retry`, { method: 'POST', token });
    expect(retried.json.projectId).toBe(projectId);
  });

  it('is given the user’s own music and pictures, and holds on to them', async () => {
    const { token, id: userId } = await api.register();
    const stranger = await api.register();
    const music = (await upload(api, token, tone, { kind: 'music' })).json;
    const image = (await upload(api, token, picture, { kind: 'image' })).json;
    const theirs = (await upload(api, stranger.token, tone, { kind: 'music' })).json;
    const generate = (assetId: string) =>
      api.call('/api/v1/videos/generate', {
        token,
        body: { prompt: 'Tides', music: { assetId, volumeDb: -3 } },
      });
    const job = await generate(music.id);
    expect(job.status).toBe(202);
    const file = `${music.sha256}.mp3`;
    expect((await row(job.json.id)).workflow_input).toMatchObject({
      options: { music: { artifact: file, volumeDb: -3 } },
    });
    expect(await jobInputs(job.json.id)).toEqual([file]);
    for (const wrong of [theirs.id, image.id, randomUUID()]) {
      const refused = await generate(wrong);
      expect([refused.json.code, refused.json.errors[0].path]).toEqual([
        'unknown_asset',
        'body.music.assetId',
      ]);
    }
    const nested = await api.call('/api/v1/jobs', {
      token,
      body: { type: 'explainer', parameters: { prompt: 'Tides', music: { assetId: theirs.id } } },
    });
    expect(nested.json.errors[0].path).toBe('body.parameters.music.assetId');

    const { videoId } = await addVideo(api, userId);
    const edit = (body: object) =>
      api.call(`/api/v1/videos/${videoId}/scenes/1`, { method: 'PATCH', token, body });
    const { rendition_artifact_id: shown } = await api.db
      .selectFrom('assets')
      .select('rendition_artifact_id')
      .where('id', '=', image.id)
      .executeTakeFirstOrThrow();
    const refused = await edit({ imageAssetId: music.id });
    expect([refused.json.code, refused.json.errors[0].path]).toEqual(['unknown_asset', 'body.imageAssetId']);
    const edited = await edit({ imageAssetId: image.id });
    expect(edited.status).toBe(202);
    expect((await row(edited.json.id)).edits).toEqual([{ number: 1, imageArtifact: shown }]);
    expect(await jobInputs(edited.json.id)).toEqual([shown]);
    await api.db.updateTable('jobs').set({ status: 'cancelled' }).where('id', '=', edited.json.id).execute();
    const taken = await edit({ imageAssetId: null });
    expect((await row(taken.json.id)).edits).toEqual([{ number: 1, imageArtifact: null }]);
  });
});
