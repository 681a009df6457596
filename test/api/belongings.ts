import { createHash, randomUUID } from 'node:crypto';
import { endRecipient, insertRecipients } from '../../db/recipients.js';
import type { AssetMedia } from '../../workflows/contract/assets.js';
import { addVideo, type Gallery } from './gallery.js';
import type { Json, TestApi } from './support.js';

/** Somebody with one of everything that has an id. */
export interface Belongings {
  token: string;
  userId: string;
  /** Finished, with the video and its files. */
  jobId: string;
  videoId: string;
  artifacts: Gallery['artifacts'] & Record<'picture' | 'voice', string>;
  failedJobId: string;
  /** At a review. */
  waitingJobId: string;
  apiKeyId: string;
  apiKey: string;
  projectId: string;
  /** Music. */
  assetId: string;
  imageAssetId: string;
  videoAssetId: string;
  recipientsAssetId: string;
  voiceSampleAssetId: string;
  uploadId: string;
}

/** A new user with their things, some by the API, some as workflows leave them. */
export async function createBelongings(api: TestApi): Promise<Belongings> {
  const { token, email } = await api.register();
  const { id: userId } = (await api.call('/api/v1/users/me', { token })).json;
  const { jobId, videoId, artifacts } = await addVideo(api, userId, `Of ${email}`);
  const parts = {
    picture: await addArtifact(api, jobId, 'picture'),
    voice: await addArtifact(api, jobId, 'voice'),
  };
  const file = await addArtifact(api, jobId, 'recipient');
  await api.storage.putBytes(`artifacts/${file}`, Buffer.from('any bytes'), 'video/mp4');
  await insertRecipients(api.db, jobId, [{ row: 2, name: 'Ada', fields: { name: 'Ada' } }]);
  const end = { file, fileName: '0002-ada.mp4', durationSeconds: 3, bytes: 9, message: null };
  await endRecipient(api.db, jobId, 0, { status: 'completed', ...end });
  const avatar = await addArtifact(api, jobId, 'avatar');
  await api.storage.putBytes(`artifacts/${avatar}`, Buffer.from('any bytes'), 'image/webp');
  await api.db.updateTable('users').set({ avatar_artifact: avatar }).where('id', '=', userId).execute();
  const waitingJobId = await addJob(api, userId, 'awaiting_approval');
  const reviewed = await addArtifact(api, waitingJobId, 'script');
  const script = JSON.stringify({ language: 'en', scenes: [{ number: 1 }] });
  await api.storage.putBytes(`artifacts/${reviewed}`, Buffer.from(script), 'application/json');
  const key = await api.call('/api/v1/users/me/api-keys', { token, body: { name: 'a program' } });
  return {
    token,
    userId,
    jobId,
    videoId,
    artifacts: { ...artifacts, ...parts },
    failedJobId: await addJob(api, userId, 'failed'),
    waitingJobId,
    apiKeyId: key.json.id,
    apiKey: key.json.key,
    projectId: (await made(api, token, '/projects', { name: 'A project' })).id,
    assetId: await addAsset(api, userId, 'music'),
    imageAssetId: await addAsset(api, userId, 'image'),
    videoAssetId: await addAsset(api, userId, 'video'),
    recipientsAssetId: await addAsset(api, userId, 'recipients'),
    voiceSampleAssetId: await addAsset(api, userId, 'voice_sample'),
    uploadId: (await made(api, token, '/assets/uploads', { kind: 'image', fileName: 'a.png', bytes: 9 })).id,
  };
}

async function made(api: TestApi, token: string, path: string, body: unknown): Promise<Json> {
  const answer = await api.call(`/api/v1${path}`, { token, body });
  if (answer.status !== 201) throw new Error(`${path} answered ${answer.text}`);
  return answer.json;
}

type Kind = 'music' | 'voice_sample' | 'image' | 'video' | 'recipients';

const assetForms: Record<Kind, { extension: string; contentType: string; media: Partial<AssetMedia> }> = {
  music: {
    ...{ extension: 'mp3', contentType: 'audio/mpeg' },
    media: { durationSeconds: 3, audioCodec: 'mp3', sampleRate: 44_100, channels: 2 },
  },
  image: {
    ...{ extension: 'png', contentType: 'image/png' },
    media: { width: 64, height: 64, videoCodec: 'png' },
  },
  video: {
    ...{ extension: 'mp4', contentType: 'video/mp4' },
    media: { durationSeconds: 3, width: 64, height: 64, videoCodec: 'h264', audioCodec: 'aac', channels: 2 },
  },
  voice_sample: {
    ...{ extension: 'wav', contentType: 'audio/wav' },
    media: { durationSeconds: 3, audioCodec: 'pcm_s16le', sampleRate: 48_000, channels: 1 },
  },
  recipients: { extension: 'csv', contentType: 'text/csv', media: {} },
};

async function addAsset(api: TestApi, userId: string, kind: Kind): Promise<string> {
  const { extension, contentType, media } = assetForms[kind];
  // Of a table its rows are read, of the others nothing before a job runs.
  const bytes = Buffer.from(kind === 'recipients' ? `name\nAda ${randomUUID()}\n` : randomUUID());
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const artifact = `${sha256}.${extension}`;
  await api.storage.putBytes(`artifacts/${artifact}`, bytes, contentType);
  await api.db
    .insertInto('artifacts')
    .values({ id: artifact, sha256, bytes: bytes.length, content_type: contentType })
    .execute();
  const { id } = await api.db
    .insertInto('assets')
    .values({
      user_id: userId,
      kind,
      file_name: `mine.${extension}`,
      content_type: contentType,
      bytes: bytes.length,
      sha256,
      artifact_id: artifact,
      rendition_artifact_id: kind === 'image' ? artifact : null,
      media: JSON.stringify({ ...nothing, ...media }),
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

const nothing: AssetMedia = {
  durationSeconds: null,
  width: null,
  height: null,
  frameRate: null,
  videoCodec: null,
  audioCodec: null,
  sampleRate: null,
  channels: null,
};

async function addArtifact(api: TestApi, jobId: string, kind: string): Promise<string> {
  const sha256 = createHash('sha256').update(randomUUID()).digest('hex');
  const id = `${sha256}.json`;
  await api.db
    .insertInto('artifacts')
    .values({ id, sha256, bytes: 9, content_type: 'application/json' })
    .execute();
  const { position } = await api.db
    .selectFrom('job_artifacts')
    .select((eb) => eb.fn.count<string>('position').as('position'))
    .where('job_id', '=', jobId)
    .executeTakeFirstOrThrow();
  await api.db
    .insertInto('job_artifacts')
    .values({ job_id: jobId, kind, name: `${kind}.json`, artifact_id: id, position: Number(position) })
    .execute();
  return id;
}

async function addJob(api: TestApi, userId: string, status: 'failed' | 'awaiting_approval'): Promise<string> {
  const id = randomUUID();
  const { workflow_input, parameters } = await api.db
    .selectFrom('jobs')
    .select(['workflow_input', 'parameters'])
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow();
  await api.db
    .insertInto('jobs')
    .values({
      id,
      user_id: userId,
      type: 'explainer',
      status,
      parameters: JSON.stringify(parameters),
      workflow_input: JSON.stringify(workflow_input),
      edits: '[]',
      steps: '[]',
      submitted_at: new Date(),
      completed_at: status === 'failed' ? new Date() : null,
    })
    .execute();
  return id;
}
