import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, inject, test } from 'vitest';
import { createLocalStorage } from '../../storage/local.js';
import { ensureBucket } from '../../storage/s3-bucket.js';
import { createS3Storage } from '../../storage/s3.js';
import { ObjectMissingError, type Storage } from '../../storage/storage.js';
import { createTestFolder } from '../support/services.js';

const folder = await createTestFolder('storage');
const adapters: [string, Storage][] = [
  ['a local folder', await createLocalStorage(join(folder.path, 'local'))],
  ['an S3 server', createS3Storage(s3Options())],
];

describe.each(adapters)('%s', (_name, storage) => {
  const key = () => `contract/${randomBytes(8).toString('hex')}.bin`;
  const content = async (name: string) => await buffer(await storage.read(name));

  test('gives back bytes, type and size', async () => {
    const name = key();
    const bytes = randomBytes(70_000);
    await storage.putBytes(name, bytes, 'image/png');
    expect(await storage.head(name)).toEqual({ bytes: 70_000, contentType: 'image/png' });
    expect((await content(name)).equals(bytes)).toBe(true);
  });

  test('reads ranges as HTTP counts them', async () => {
    const name = key();
    await storage.putBytes(name, Buffer.from('0123456789'), 'text/plain');
    expect(String(await buffer(await storage.read(name, { start: 2, end: 4 })))).toBe('234');
    expect(String(await buffer(await storage.read(name, { start: 9, end: 99 })))).toBe('9');
    await expect(storage.read(name, { start: 10, end: 12 })).rejects.toBeInstanceOf(RangeError);
  });

  test('says what is missing, and deletes twice', async () => {
    const name = key();
    expect(await storage.head(name)).toBeUndefined();
    await expect(storage.read(name)).rejects.toBeInstanceOf(ObjectMissingError);
    await storage.putBytes(name, Buffer.from('x'), 'text/plain');
    await storage.delete(name);
    await storage.delete(name);
    expect(await storage.head(name)).toBeUndefined();
  });

  test('keeps empty objects', async () => {
    const name = key();
    await storage.putBytes(name, new Uint8Array(), 'text/plain');
    expect(await storage.head(name)).toMatchObject({ bytes: 0 });
    expect(await content(name)).toHaveLength(0);
  });

  test.each([
    '',
    '/etc/passwd',
    '../up',
    'a/../b',
    'a//b',
    'a/./b',
    'a/',
    '.hidden',
    'a b',
    'é',
    'a\0b',
    'x'.repeat(513),
  ])('refuses the key %j', async (name) => {
    await expect(storage.putBytes(name, Buffer.from('x'), 'text/plain')).rejects.toBeInstanceOf(TypeError);
    await expect(storage.read(name)).rejects.toBeInstanceOf(TypeError);
  });

  test('shows one whole object or another while many are put at once', async () => {
    const name = key();
    const versions = Array.from({ length: 12 }, (_, index) => Buffer.alloc(200_000 + index, index + 1));
    await storage.putBytes(name, versions[0] ?? Buffer.alloc(1), 'text/plain');
    const seen: Buffer[] = [];
    const putting = new AbortController();
    const reading = (async () => {
      while (!putting.signal.aborted) seen.push(await content(name));
    })();
    await Promise.all(versions.map((bytes) => storage.putBytes(name, bytes, 'text/plain')));
    putting.abort();
    await reading;
    seen.push(await content(name));
    for (const bytes of seen) {
      const version = bytes[0] ?? 0;
      expect(bytes).toHaveLength(200_000 + version - 1);
      expect(bytes.equals(Buffer.alloc(bytes.length, version))).toBe(true);
    }
  });

  test('moves a big file with the memory of a few parts', async () => {
    const path = join(folder.path, 'big.bin');
    const bytes = await writeBigFile(path, 192);
    const name = key();
    let peak = 0;
    const before = process.memoryUsage().rss;
    const timer = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss - before);
    }, 5);
    await storage.putFile(name, path, 'video/mp4');
    const hash = createHash('sha256');
    for await (const chunk of await storage.read(name)) hash.update(chunk as Buffer);
    clearInterval(timer);
    const original = createHash('sha256');
    await pipeline(createReadStream(path), original);
    expect(hash.digest('hex')).toBe(original.digest('hex'));
    expect(await storage.head(name)).toEqual({ bytes, contentType: 'video/mp4' });
    expect(peak).toBeLessThan(128 * 1024 * 1024);
    await storage.delete(name);
  });

  test('a file that cannot be read leaves nothing behind', async () => {
    const name = key();
    await expect(storage.putFile(name, join(folder.path, 'absent'), 'video/mp4')).rejects.toMatchObject({
      code: 'ENOENT',
    });
    expect(await storage.head(name)).toBeUndefined();
  });

  test('is in order', async () => {
    await expect(storage.check()).resolves.toBeUndefined();
  });
});

describe('the local folder', () => {
  test('has paths, and leaves no drafts', async () => {
    const dir = join(folder.path, 'paths');
    await writeFile(join(folder.path, 'a-file'), 'hello');
    const storage = await createLocalStorage(dir);
    await storage.putFile('a/b.txt', join(folder.path, 'a-file'), 'text/plain');
    expect(await readFile(storage.localPath('a/b.txt') ?? '', 'utf8')).toBe('hello');
    expect(await readdir(join(dir, 'temporary'))).toEqual([]);
  });

  test('clears what a killed process was writing', async () => {
    const dir = join(folder.path, 'killed');
    await createLocalStorage(dir);
    const { temporaryPrefix } = await import('../../storage/local-temporary.js');
    const dead = temporaryPrefix().replace(String(process.pid), '4194303');
    await writeFile(join(dir, 'temporary', `${dead}x`), 'half');
    await writeFile(join(dir, 'temporary', `${temporaryPrefix()}y`), 'being written');
    const other = 'another-host~1~z';
    await writeFile(join(dir, 'temporary', other), 'of a host that shares the folder');
    const storage = await createLocalStorage(dir);
    const left = async () => (await readdir(join(dir, 'temporary'))).toSorted();
    expect(await left()).toEqual([other, `${temporaryPrefix()}y`].toSorted());
    await writeFile(join(dir, 'temporary', `${dead}x`), 'half');
    expect(await storage.removeUnfinished(new Date(Date.now() - 60_000))).toBe(1);
    expect(await storage.removeUnfinished(new Date(Date.now() + 60_000))).toBe(1);
    expect(await left()).toEqual([`${temporaryPrefix()}y`]);
  });
});

describe('the S3 adapter', () => {
  test('says clearly that the store is away', async () => {
    const storage = createS3Storage({ ...s3Options(), endpoint: 'http://127.0.0.1:9', maxAttempts: 2 });
    const failure = {
      name: 'StorageUnavailableError',
      message: /127\.0\.0\.1:9 cannot be reached: ECONNREFUSED/,
    };
    await expect(storage.check()).rejects.toMatchObject({ name: failure.name });
    await expect(storage.head('a')).rejects.toThrow(failure.message);
    await expect(storage.read('a')).rejects.toThrow(failure.message);
    await expect(storage.putBytes('a', Buffer.from('x'), 'text/plain')).rejects.toThrow(failure.message);
  });

  test('makes its bucket once', async () => {
    const options = { ...s3Options(), bucket: 'made-by-us' };
    expect([await ensureBucket(options), await ensureBucket(options)]).toEqual([true, false]);
    await createS3Storage(options).check();
  });

  test('takes back uploads in parts that came to nothing, and no one else’s', async () => {
    const options = { ...s3Options(), bucket: `unfinished-${randomBytes(4).toString('hex')}` };
    await ensureBucket(options);
    const storage = createS3Storage(options);
    const client = new S3Client(options);
    const Bucket = options.bucket;
    const begin = async (Key: string) => {
      const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
      await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: 'half' }));
    };
    const begun = async () => {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
      return Uploads.map(({ Key }) => Key).toSorted();
    };
    const [ours, another, theirs] = ['artifacts/a.mp4', 'artifacts/b.mp4', 'backups/c.mp4'];
    for (const key of [ours, another, theirs]) await begin(key);
    expect(await storage.removeUnfinished(new Date(Date.now() - 60_000))).toBe(0);
    expect(await begun()).toEqual([ours, another, theirs]);
    expect(await storage.removeUnfinished(new Date(Date.now() + 60_000))).toBe(2);
    expect(await begun()).toEqual([theirs]);
    client.destroy();
  });

  test('says which bucket it may not use', async () => {
    const wrongKey = { accessKeyId: 'nobody', secretAccessKey: 'nothing-of-use' };
    await expect(createS3Storage({ ...s3Options(), credentials: wrongKey }).check()).rejects.toThrow(
      /refused bucket callsheet: \w+/,
    );
    const absent = createS3Storage({ ...s3Options(), bucket: 'absent' });
    await expect(absent.check()).rejects.toThrow(/refused bucket absent: NoSuchBucket/);
  });
});

function s3Options() {
  const { endpoint, bucket, accessKeyId, secretAccessKey } = inject('s3');
  return {
    endpoint,
    bucket,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
  };
}

/** Random bytes, so that no part is like another. */
async function writeBigFile(path: string, mebibytes: number): Promise<number> {
  const file = createWriteStream(path);
  for (let index = 0; index < mebibytes; index++) {
    await new Promise((resolve) => file.write(randomBytes(1024 * 1024), resolve));
  }
  await new Promise<void>((resolve) => {
    file.end(resolve);
  });
  return mebibytes * 1024 * 1024;
}
