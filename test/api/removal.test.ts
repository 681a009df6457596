import { createHash, randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { recordEnd } from '../../db/job-records.js';
import { endRecipient, insertRecipients } from '../../db/recipients.js';
import { deliverVideo, type VideoFacts } from '../../db/video-records.js';
import { addVideo } from './gallery.js';
import { startApi, type Json, type TestApi } from './support.js';

let api: TestApi;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const begin = async (token: string): Promise<string> =>
  (await api.call('/api/v1/projects', { token, body: { name: 'Tides' } })).json.id;
const remove = (path: string, token: string) => api.call(`/api/v1${path}`, { method: 'DELETE', token });

async function addArtifact(): Promise<string> {
  const sha256 = createHash('sha256').update(randomUUID()).digest('hex');
  const id = `${sha256}.mp4`;
  await api.db.insertInto('artifacts').values({ id, sha256, bytes: 9, content_type: 'video/mp4' }).execute();
  return id;
}

/** A job as its worker leaves it, with a file of each sort: given, listed, delivered, and one in the cache. */
async function addJob(
  of: { userId: string; projectId: string | null; videoId?: string },
  type: 'personalized' | 'stage' | 'conversion' | 'lipsync' | 'explainer',
  status: 'completed' | 'failed' = 'completed',
) {
  const id = randomUUID();
  const [given, listed, delivered] = [await addArtifact(), await addArtifact(), await addArtifact()];
  await api.db
    .insertInto('jobs')
    .values({
      id,
      user_id: of.userId,
      project_id: of.projectId,
      video_id: of.videoId ?? null,
      type,
      status,
      parameters: '{}',
      workflow_input: '{}',
      edits: '[]',
      steps: '[]',
      submitted_at: new Date(),
      completed_at: new Date(),
    })
    .execute();
  await api.db.insertInto('job_inputs').values({ job_id: id, artifact_id: given }).execute();
  await api.db
    .insertInto('job_artifacts')
    .values({ job_id: id, kind: 'video', name: 'video.mp4', artifact_id: listed, position: 0 })
    .execute();
  await insertRecipients(api.db, id, [{ row: 2, name: 'Ada', fields: { name: 'Ada' } }]);
  const end = { file: delivered, fileName: '0002-ada.mp4', durationSeconds: 3, bytes: 9, message: null };
  await endRecipient(api.db, id, 0, { status: 'completed', ...end });
  for (const artifact of [listed, delivered]) {
    const key = createHash('sha256').update(artifact).digest('hex');
    await api.db
      .insertInto('generation_cache')
      .values({ key, activity: 'test', value: '1', artifacts: [artifact] })
      .execute();
  }
  return { id, files: { given, listed, delivered } };
}

/** Those of the files that a row or a remembered result still refers to, so that no collector may take them. */
async function referredTo(files: Record<string, string>): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from artifacts where id = any(${Object.values(files)}::text[]) and (
      exists (select from job_artifacts where artifact_id = artifacts.id)
      or exists (select from job_inputs where artifact_id = artifacts.id)
      or exists (select from job_recipients where file_artifact = artifacts.id)
      or exists (select from generation_cache where generation_cache.artifacts @> array[artifacts.id]))`.execute(
    api.db,
  );
  return Object.keys(files).filter((name) => rows.some(({ id }) => id === files[name]));
}

it('of a project with its contents lets go of the files of every job in it, and of no other', async () => {
  const { token, id: userId } = await api.register();
  const [projectId, elsewhere] = [await begin(token), await begin(token)];
  const inside = [
    await addJob({ userId, projectId }, 'personalized'),
    await addJob({ userId, projectId }, 'stage'),
    await addJob({ userId, projectId }, 'conversion'),
    await addJob({ userId, projectId }, 'lipsync'),
    await addJob({ userId, projectId }, 'explainer', 'failed'),
  ];
  // A video that stays, of which a job in the project made a part.
  const { videoId } = await addVideo(api, userId);
  const outside = [
    await addJob({ userId, projectId: elsewhere }, 'personalized'),
    await addJob({ userId, projectId: null }, 'stage'),
    await addJob({ userId, projectId, videoId }, 'explainer'),
  ];
  const all = ['given', 'listed', 'delivered'];
  for (const { files } of [...inside, ...outside]) expect(await referredTo(files)).toEqual(all);

  expect((await remove(`/projects/${projectId}?contents=delete`, token)).status).toBe(204);
  for (const { id, files } of inside) {
    expect(await referredTo(files)).toEqual([]);
    const kept = await api.call(`/api/v1/jobs/${id}`, { token });
    expect([kept.status, kept.json.projectId]).toEqual([200, null]);
    expect((await api.call(`/api/v1/jobs/${id}/artifacts`, { token })).json.items).toEqual([]);
    expect((await api.call(`/api/v1/jobs/${id}/recipients/0/file`, { token })).status).toBe(404);
    const { items } = (await api.call(`/api/v1/jobs/${id}/recipients`, { token })).json;
    expect(items.map(({ name, status, file }: Json) => [name, status, file])).toEqual([
      ['Ada', 'completed', null],
    ]);
  }
  for (const { files } of outside) expect(await referredTo(files)).toEqual(all);
});

it('of a video waits for the end of the job that is delivering it', async () => {
  const { token, id: userId } = await api.register();
  const like = await addVideo(api, userId);
  const row = await api.db
    .selectFrom('videos')
    .selectAll()
    .where('id', '=', like.videoId)
    .executeTakeFirstOrThrow();
  const accepted = await api.call('/api/v1/videos/generate', { token, body: { prompt: 'Tides' } });
  const jobId: string = accepted.json.id;
  const { id: _id, user_id: _user, project_id: _project, job_id: _job, ...facts } = row;
  const made: VideoFacts = { ...facts, bytes: Number(facts.bytes), scenes: JSON.stringify(facts.scenes) };
  const artifacts = [{ kind: 'video', name: 'video.mp4', artifact: row.video_artifact }] as const;
  const delivery = await deliverVideo(api.db, { jobId, userId }, { videoId: null, facts: made, artifacts });
  expect(delivery).toEqual({ outcome: 'delivered', videoId: jobId });

  const early = await remove(`/videos/${jobId}`, token);
  expect([early.status, early.json.code]).toEqual([409, 'video_busy']);
  await recordEnd(api.db, {
    jobId,
    userId,
    status: 'completed',
    progress: { status: 'completed', overallProgress: 100, steps: [], weights: [], parallelItems: {} },
    result: { videoId: jobId },
    error: null,
    artifacts: [...artifacts],
  });
  expect((await remove(`/videos/${jobId}`, token)).status).toBe(204);
  const listed = await api.db
    .selectFrom('job_artifacts')
    .select('kind')
    .where('job_id', '=', jobId)
    .execute();
  expect(listed).toEqual([]);
});
