import { afterAll, beforeAll, expect, it } from 'vitest';
import { createBelongings, type Belongings } from './belongings.js';
import { startApi, type TestApi } from './support.js';

let api: TestApi;
let mine: Belongings;

beforeAll(async () => {
  api = await startApi();
  mine = await createBelongings(api);
});
afterAll(() => api.stop());

const likeAFile = `${'f'.repeat(64)}.mp4`;

const inputsOf = (jobId: string) =>
  api.db.selectFrom('job_inputs').select('artifact_id').where('job_id', '=', jobId).execute();

it('a text that looks like the id of a file is a text', async () => {
  const { token, videoId, waitingJobId } = mine;
  const edit = { heading: likeAFile, narration: likeAFile, bullets: [likeAFile] };
  const patch = { token, method: 'PATCH', body: { ...edit, imageAssetId: mine.imageAssetId } };
  const edited = await api.call(`/api/v1/videos/${videoId}/scenes/1`, patch);
  expect(edited.status, edited.text).toBe(202);
  // The picture is held on to as before.
  const picture = await api.db
    .selectFrom('assets')
    .select('artifact_id')
    .where('id', '=', mine.imageAssetId)
    .executeTakeFirst();
  expect(await inputsOf(edited.json.id)).toContainEqual(picture);
  expect(await inputsOf(edited.json.id)).not.toContainEqual({ artifact_id: likeAFile });

  const body = { approved: true, edits: [{ number: 1, ...edit }] };
  const answered = await api.call(`/api/v1/jobs/${waitingJobId}/approval`, { token, body });
  // Nobody waits for this one in Temporal.
  expect([answered.status, answered.json.code]).toEqual([409, 'job_not_awaiting_approval']);
});
