import { expect, test } from 'vitest';
import { readConfig } from '../../config.js';

const secret = 'hunter2-very-secret';

test('an empty environment gives the embedded default', () => {
  const config = readConfig({});
  expect(config.database.url).toBeUndefined();
  expect(config.temporal).toMatchObject({ address: undefined, namespace: 'default', uiPort: 8233 });
  expect(config.api).toEqual({ host: '127.0.0.1', port: 8000, trustedProxies: 0 });
  expect(config.storage).toMatchObject({ kind: 'local' });
  expect(config.gemini).toBeUndefined();
});

test('an empty variable counts as absent', () => {
  expect(readConfig({ DATABASE_URL: '', PORT: '', GEMINI_API_KEY: '' })).toEqual(readConfig({}));
});

test('DATA_DIR becomes absolute, and files go below it', () => {
  const config = readConfig({ DATA_DIR: 'somewhere' });
  expect(config.dataDir).toBe(`${process.cwd()}/somewhere`);
  expect(config.storage).toEqual({ kind: 'local', dir: `${process.cwd()}/somewhere/storage` });
});

test('S3 is read whole', () => {
  expect(
    readConfig({
      STORAGE: 's3',
      S3_BUCKET: 'videos',
      S3_ENDPOINT: 'http://127.0.0.1:7070',
      S3_ACCESS_KEY_ID: 'id',
      S3_SECRET_ACCESS_KEY: secret,
    }).storage,
  ).toEqual({
    kind: 's3',
    bucket: 'videos',
    endpoint: 'http://127.0.0.1:7070',
    region: 'us-east-1',
    credentials: { accessKeyId: 'id', secretAccessKey: secret },
    forcePathStyle: true,
  });
});

test('lip-sync providers are there once they are configured, and Wav2Lip sees no key', () => {
  const none = readConfig({ HOME: '/root' });
  expect([none.sync, none.wav2lip]).toEqual([undefined, undefined]);
  const { sync, wav2lip } = readConfig({
    SYNC_API_KEY: secret,
    WAV2LIP_REPO: '/opt/Wav2Lip',
    WAV2LIP_CHECKPOINT: '/opt/wav2lip.pth',
    WAV2LIP_CHECKPOINT_SHA256: 'a'.repeat(64),
    CUDA_VISIBLE_DEVICES: '0',
  });
  expect(sync).toEqual({ apiKey: secret, baseUrl: 'https://api.sync.so', model: 'lipsync-2' });
  expect(wav2lip).toMatchObject({
    repo: '/opt/Wav2Lip',
    python: 'python3',
    env: { CUDA_VISIBLE_DEVICES: '0' },
  });
  expect(JSON.stringify(wav2lip)).not.toContain(secret);
});

test.each([
  [{ STORAGE: 's3' }, /S3_BUCKET/],
  [{ STORAGE: 's3', S3_BUCKET: 'b', S3_ACCESS_KEY_ID: 'id' }, /S3_SECRET_ACCESS_KEY/],
  [{ STORAGE: 's3', S3_BUCKET: 'b', S3_SECRET_ACCESS_KEY: secret }, /S3_ACCESS_KEY_ID/],
  [{ STORAGE: 'floppy' }, /STORAGE/],
  [{ PORT: '70000' }, /PORT/],
  [{ PORT: 'http' }, /PORT/],
  [{ MEDIA_CONCURRENCY: '0' }, /MEDIA_CONCURRENCY/],
  [{ TTS_PER_SECOND: '-1' }, /TTS_PER_SECOND/],
  [{ TEMPORAL_TLS: 'yes' }, /TEMPORAL_TLS/],
  [{ DATABASE_SCHEMA: 'public; drop table users' }, /DATABASE_SCHEMA/],
  [{ S3_ENDPOINT: 'not an address' }, /S3_ENDPOINT/],
  [{ LOG_LEVEL: 'loud' }, /LOG_LEVEL/],
  [{ WAV2LIP_REPO: '/opt/Wav2Lip' }, /WAV2LIP_CHECKPOINT_SHA256/],
  [{ WAV2LIP_CHECKPOINT_SHA256: 'abc' }, /WAV2LIP_CHECKPOINT_SHA256/],
  [{ SYNC_BASE_URL: 'sync' }, /SYNC_BASE_URL/],
])('%j is refused by name', (env, name) => {
  expect(() => readConfig(env)).toThrow(name);
});

test('every wrong variable is named at once, and no value is shown', () => {
  const wrong = { PORT: secret, S3_ENDPOINT: secret, STORAGE: secret, GEMINI_BASE_URL: secret };
  let message = '';
  try {
    readConfig({ ...wrong, GEMINI_API_KEY: secret });
  } catch (error) {
    message = String(error);
  }
  for (const name of Object.keys(wrong)) expect(message).toContain(name);
  expect(message).not.toContain(secret);
});
