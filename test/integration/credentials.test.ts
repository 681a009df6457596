import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOwnKeys } from '../../activities/tts/own-keys.js';
import { readConfig } from '../../config.js';
import { createSecretBoxOpener, NoCredentialsKey } from '../../db/credentials-key.js';
import { keepProviderCredential, providerCredentialId } from '../../db/provider-credentials.js';
import { createSecretBox } from '../../db/secret-box.js';
import { failureOf } from '../support/outside-voices.js';
import { createTestDatabase, createTestFolder, type TestDatabase } from '../support/services.js';

const secret = 'sk_own_key_of_a_user_0123456789';
const box = createSecretBox(randomBytes(32));
const open = () => Promise.resolve(box);
let database: TestDatabase;
let userId: string;
let folder: string;

beforeAll(async () => {
  database = await createTestDatabase();
  folder = (await createTestFolder('credentials')).path;
  const row = { email: `${randomUUID()}@example.org`, password_hash: 'x' };
  userId = (await database.db.insertInto('users').values(row).returning('id').executeTakeFirstOrThrow()).id;
});
afterAll(() => database.drop());

const credential = () => ({ userId, provider: 'elevenlabs' as const, secret });

describe('a secret box', () => {
  it('opens what it sealed, for what it belongs to and nothing else', () => {
    const sealed = box.seal(secret, 'row');
    expect(box.open(sealed, 'row')).toBe(secret);
    expect(sealed.includes(secret)).toBe(false);
    // Never the same twice.
    expect(box.seal(secret, 'row').equals(sealed)).toBe(false);
    expect(() => box.open(sealed, 'other row')).toThrow();
    expect(() => createSecretBox(randomBytes(32)).open(sealed, 'row')).toThrow();
    for (const at of [0, 14, sealed.length - 1]) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      expect(() => box.open(changed, 'row')).toThrow();
    }
    expect(() => box.open(sealed.subarray(0, 20), 'row')).toThrow('cut off');
  });
});

describe('a user’s key', () => {
  it('is kept once, sealed, and read by its user alone', async () => {
    const { db } = database;
    await Promise.all([1, 2].map(() => keepProviderCredential(db, box, credential())));
    const rows = await db.selectFrom('provider_credentials').selectAll().execute();
    expect(rows.map(({ id }) => id)).toEqual([providerCredentialId(box, credential())]);
    expect(JSON.stringify(rows) + String(rows[0]?.sealed)).not.toContain(secret);

    const id = rows[0]?.id ?? '';
    const read = createOwnKeys(db, open);
    expect(await read(id, userId)).toBe(secret);
    expect(await read(id, randomUUID())).toBeUndefined();
    expect(await read(randomUUID(), userId)).toBeUndefined();
  });

  it('cannot be read by a host with another key, or from a row that was changed', async () => {
    const { db } = database;
    const id = providerCredentialId(box, credential());
    const other = createOwnKeys(db, () => Promise.resolve(createSecretBox(randomBytes(32))));
    const differs = await failureOf(other(id, userId), [secret]);
    expect(differs).toMatchObject({ type: 'credential_unreadable', nonRetryable: false });
    const none = createOwnKeys(db, createSecretBoxOpener({ key: undefined, file: undefined }));
    expect(await failureOf(none(id, userId))).toMatchObject({ type: 'credential_unreadable' });

    // Somebody else's sealed key under one's own id opens nothing.
    const moved = { id: randomUUID(), user_id: userId, provider: 'elevenlabs' as const, key_id: box.keyId };
    await db
      .insertInto('provider_credentials')
      .values({ ...moved, sealed: box.seal(secret, id) })
      .execute();
    const swapped = await failureOf(createOwnKeys(db, open)(moved.id, userId), [secret]);
    expect(swapped).toMatchObject({ type: 'credential_unreadable' });
  });

  it('goes with its user', async () => {
    await database.db.deleteFrom('users').where('id', '=', userId).execute();
    expect(await database.db.selectFrom('provider_credentials').selectAll().execute()).toEqual([]);
  });
});

describe('the key that seals', () => {
  it('is one for the API and the workers of a host, in a file of its owner’s', async () => {
    const file = join(folder, 'new', 'credentials.key');
    const openers = Array.from({ length: 8 }, () => createSecretBoxOpener({ key: undefined, file }));
    const ids = await Promise.all(openers.map(async (opener) => (await opener()).keyId));
    expect(new Set(ids).size).toBe(1);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(Buffer.from(await readFile(file, 'utf8'), 'base64')).toHaveLength(32);
    await chmod(file, 0o644);
    await expect(createSecretBoxOpener({ key: undefined, file })()).rejects.toThrow('0600');
  });

  it('has to be set where there may be several hosts', async () => {
    const s3 = readConfig({ STORAGE: 's3', S3_BUCKET: 'b' }).credentials;
    expect(s3).toEqual({ key: undefined, file: undefined });
    await expect(createSecretBoxOpener(s3)()).rejects.toThrow(NoCredentialsKey);
    const key = randomBytes(32).toString('base64');
    const set = readConfig({ STORAGE: 's3', S3_BUCKET: 'b', CREDENTIALS_KEY: key }).credentials;
    expect((await createSecretBoxOpener(set)()).keyId).toMatch(/^[0-9a-f]{16}$/);
    expect(readConfig({}).credentials.file).toMatch(/credentials\.key$/);
    for (const wrong of ['short', key.slice(4), `${key}AAAA`]) {
      expect(() => readConfig({ CREDENTIALS_KEY: wrong })).toThrow(/CREDENTIALS_KEY: must be 32 bytes/);
      expect(() => readConfig({ CREDENTIALS_KEY: wrong })).not.toThrow(wrong);
    }
  });
});

describe('the speech command', () => {
  it.each(['say {out}', '[]', '["/opt/say"]', '["/opt/say {out}"]', '["/opt/say", 5, "{out}"]', '{}'])(
    'is refused when it is %s',
    (command) => {
      expect(() => readConfig({ TTS_COMMAND: command })).toThrow(/TTS_COMMAND must be a JSON array/);
    },
  );
});
