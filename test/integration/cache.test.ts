import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createArtifactStore } from '../../activities/artifact-store.js';
import { createGenerationCache } from '../../activities/generation-cache.js';
import type { Db } from '../../db/database.js';
import { createLocalStorage } from '../../storage/local.js';
import { ObjectMissingError, type Storage } from '../../storage/storage.js';
import { createTestDatabase, type TestDatabase } from '../support/services.js';

let database: TestDatabase;
let db: Db;
let folder: string;

beforeAll(async () => {
  database = await createTestDatabase();
  db = database.db;
});
afterAll(async () => {
  await database.drop();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'callsheet-cache-'));
  return () => rm(folder, { recursive: true, force: true });
});

/** A store without local paths, like S3, that counts its reads. */
function remoteStorage(root: string) {
  const reads: string[] = [];
  const put = async (key: string, write: (path: string) => Promise<void>) => {
    await mkdir(dirname(join(root, key)), { recursive: true });
    await write(join(root, key));
  };
  const storage: Pick<Storage, 'putFile' | 'takeFile' | 'putBytes' | 'head' | 'read' | 'localPath'> = {
    putFile: (key, path) => put(key, (target) => copyFile(path, target)),
    takeFile: (key, path) => put(key, (target) => copyFile(path, target)),
    putBytes: (key, bytes) => put(key, (target) => writeFile(target, bytes)),
    head: (key) =>
      stat(join(root, key)).then(
        ({ size }) => ({ bytes: size, contentType: 'application/octet-stream' }),
        () => undefined,
      ),
    read: async (key) => {
      reads.push(key);
      await delay(20);
      const exists = await readFile(join(root, key)).then(
        () => true,
        () => false,
      );
      if (!exists) throw new ObjectMissingError(key);
      return createReadStream(join(root, key));
    },
    localPath: () => undefined,
  };
  return { storage, reads };
}

function remoteStore(maxCacheBytes = 1e9) {
  const { storage, reads } = remoteStorage(join(folder, 'remote'));
  const cacheDir = join(folder, 'cache');
  return { store: createArtifactStore({ storage, db, cacheDir, maxCacheBytes }), reads, cacheDir, storage };
}

describe('artifacts', () => {
  it('are named by their content and recorded once, however often they are published', async () => {
    const { store } = remoteStore();
    const bytes = Buffer.from(`hello ${randomUUID()}`);
    const ids = await Promise.all([1, 2, 3].map(() => store.publishBytes(bytes, 'txt')));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    expect(new Set(ids)).toEqual(new Set([`${sha256}.txt`]));
    const rows = await db.selectFrom('artifacts').selectAll().where('sha256', '=', sha256).execute();
    expect(rows).toMatchObject([{ bytes: String(bytes.length), content_type: 'text/plain; charset=utf-8' }]);
    const path = join(folder, 'same.txt');
    await writeFile(path, bytes);
    expect(await store.publishFile(path, 'txt')).toBe(ids[0]);
    expect(await store.readBytes(`${sha256}.txt`)).toEqual(bytes);
  });

  it('take a file that nobody needs any more without copying it, where they lie on the same disk', async () => {
    const storage = await createLocalStorage(join(folder, 'local'));
    const store = createArtifactStore({ storage, db, cacheDir: join(folder, 'cache'), maxCacheBytes: 1e9 });
    const bytes = Buffer.from(`spare ${randomUUID()}`);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const path = join(folder, 'spare.txt');
    await writeFile(path, bytes);
    const { ino } = await stat(path);
    const id = await store.publishFile(path, 'txt', { sha256, isSpare: true });
    expect(id).toBe(`${sha256}.txt`);
    expect((await stat(await store.fetch(id))).ino).toBe(ino);
    expect(await store.readBytes(id)).toEqual(bytes);
    // Made once more, e.g. by a second attempt: the same file under the same name.
    await writeFile(path, bytes);
    expect(await store.publishFile(path, 'txt', { isSpare: true })).toBe(id);
    expect(await store.readBytes(id)).toEqual(bytes);
  });

  it('come over the network once for many that ask at the same time, and not again', async () => {
    const { store, reads, cacheDir } = remoteStore();
    const id = await store.publishBytes(Buffer.from(randomUUID()), 'bin');
    const paths = await Promise.all(Array.from({ length: 8 }, () => store.fetch(id)));
    await store.fetch(id);
    expect(new Set(paths).size).toBe(1);
    expect(reads).toHaveLength(1);
    expect(await readdir(cacheDir)).toEqual([id]);
  });

  it('that were just made here are not downloaded', async () => {
    const { store, reads } = remoteStore();
    const path = join(folder, 'made.bin');
    await writeFile(path, randomUUID());
    await store.fetch(await store.publishFile(path, 'bin'));
    expect(reads).toHaveLength(0);
  });

  it('with another content than their name says are refused and leave nothing behind', async () => {
    const { store, cacheDir, storage } = remoteStore();
    const id = await store.publishBytes(Buffer.from(randomUUID()), 'bin');
    await storage.putBytes(`artifacts/${id}`, Buffer.from('bent'), 'application/octet-stream');
    await expect(store.fetch(id)).rejects.toMatchObject({ type: 'storage_unavailable', nonRetryable: false });
    expect(await readdir(cacheDir)).toEqual([]);
  });

  it('that are gone fail for good, and names that are no names reach no path', async () => {
    const { store, reads } = remoteStore();
    const gone = `${'0'.repeat(64)}.bin`;
    await expect(store.fetch(gone)).rejects.toMatchObject({ type: 'artifact_missing', nonRetryable: true });
    const before = reads.length;
    for (const name of ['../../etc/passwd', `${'0'.repeat(64)}.bin/../x`, '']) {
      await expect(store.fetch(name)).rejects.toMatchObject({ type: 'artifact_missing' });
    }
    expect(reads).toHaveLength(before);
  });

  it('leave the host in the order of their last use, but not while they may be in use', async () => {
    const { store, cacheDir } = remoteStore(2_500);
    const ids: string[] = [];
    for (let n = 0; n < 4; n += 1) {
      const id = await store.publishBytes(
        Buffer.concat([Buffer.alloc(1_000), Buffer.from(randomUUID())]),
        'bin',
      );
      ids.push(id);
      await store.fetch(id);
      const hoursAgo = new Date(Date.now() - (4 - n) * 3_600_000);
      if (n < 2) await utimes(join(cacheDir, id), hoursAgo, hoursAgo);
    }
    // The two old ones are over the limit together with the new ones; the new ones are in use.
    expect((await readdir(cacheDir)).sort()).toEqual(ids.slice(2).sort());
  });
});

describe('the generation cache', () => {
  const name = () => ({ activity: 'test', version: 1, inputs: { text: randomUUID(), list: [1, 2] } });

  it('produces once for equal inputs, whatever the order of their keys', async () => {
    const cache = createGenerationCache({ db });
    const id = randomUUID();
    const produce = () => Promise.resolve({ value: { n: 1 }, artifacts: [] });
    const first = await cache.through({ activity: 'a', version: 1, inputs: { id, b: 1 } }, produce);
    const second = await cache.through({ activity: 'a', version: 1, inputs: { b: 1, id } }, produce);
    const other = await cache.through({ activity: 'a', version: 2, inputs: { b: 1, id } }, produce);
    expect([first, second, other].map((result) => result.cached)).toEqual([false, true, false]);
    expect(second.value).toEqual({ n: 1 });
  });

  it('is shared by those who ask at once', async () => {
    const cache = createGenerationCache({ db });
    const wanted = name();
    let runs = 0;
    const produce = async () => {
      runs += 1;
      await delay(30);
      return { value: runs, artifacts: [] };
    };
    const results = await Promise.all(Array.from({ length: 10 }, () => cache.through(wanted, produce)));
    expect(runs).toBe(1);
    expect(results.map((result) => result.value)).toEqual(Array(10).fill(1));
    expect(results.filter((result) => !result.cached)).toHaveLength(1);
  });

  it('lets another go on when the one that produces is cancelled', async () => {
    const cache = createGenerationCache({ db });
    const wanted = name();
    const cancelled = cache.through(wanted, async () => {
      await delay(30);
      throw new Error('cancelled');
    });
    const second = cache.through(wanted, () => Promise.resolve({ value: 'second', artifacts: [] }));
    await expect(cancelled).rejects.toThrow('cancelled');
    expect(await second).toEqual({ value: 'second', cached: false });
  });

  it('ends the wait of one that is cancelled itself', async () => {
    const cache = createGenerationCache({ db });
    const wanted = name();
    const slow = cache.through(wanted, async () => {
      await delay(300);
      return { value: 1, artifacts: [] };
    });
    const abort = new AbortController();
    const waiting = cache.through(wanted, () => Promise.resolve({ value: 2, artifacts: [] }), abort.signal);
    const startedAt = Date.now();
    setTimeout(() => {
      abort.abort(new Error('stop'));
    }, 20);
    await expect(waiting).rejects.toThrow('stop');
    expect(Date.now() - startedAt).toBeLessThan(200);
    expect((await slow).value).toBe(1);
  });

  it('misses when one of its artifacts is gone', async () => {
    const { store } = remoteStore();
    const cache = createGenerationCache({ db });
    const wanted = name();
    const produce = async () => {
      const id = await store.publishBytes(Buffer.from(JSON.stringify(wanted)), 'bin');
      return { value: id, artifacts: [id] };
    };
    const { value: id } = await cache.through(wanted, produce);
    expect((await cache.through(wanted, produce)).cached).toBe(true);
    await db.deleteFrom('artifacts').where('id', '=', id).execute();
    expect((await cache.through(wanted, produce)).cached).toBe(false);
    expect((await cache.through(wanted, produce)).cached).toBe(true);
  });

  it('misses after a file was found to be lost from storage, so that a new job makes it anew', async () => {
    const { store, cacheDir } = remoteStore();
    const cache = createGenerationCache({ db });
    const wanted = name();
    const produce = async () => {
      const id = await store.publishBytes(Buffer.from(JSON.stringify(wanted)), 'bin');
      return { value: id, artifacts: [id] };
    };
    const { value: id } = await cache.through(wanted, produce);
    await rm(join(folder, 'remote', 'artifacts', id));
    await rm(join(cacheDir, id), { force: true });
    await expect(store.fetch(id)).rejects.toMatchObject({ type: 'artifact_missing', nonRetryable: true });
    expect((await cache.through(wanted, produce)).cached).toBe(false);
    expect(await store.readBytes(id)).toEqual(Buffer.from(JSON.stringify(wanted)));
  });

  it('stands two processes that produce the same at the same time', async () => {
    const wanted = name();
    const results = await Promise.all(
      [1, 2].map((n) =>
        createGenerationCache({ db }).through(wanted, async () => {
          await delay(20);
          return { value: n, artifacts: [] };
        }),
      ),
    );
    expect(results.map((result) => result.value)).toEqual([1, 2]);
    const after = await createGenerationCache({ db }).through(wanted, () => Promise.reject(new Error('no')));
    expect(after.cached).toBe(true);
  });

  it('notes the last use of an old entry', async () => {
    const cache = createGenerationCache({ db });
    const wanted = name();
    const produce = () => Promise.resolve({ value: null, artifacts: [] });
    await cache.through(wanted, produce);
    const old = new Date('2026-01-01');
    await db.updateTable('generation_cache').set({ last_used_at: old }).execute();
    expect((await cache.through(wanted, produce)).cached).toBe(true);
    const used = await db
      .selectFrom('generation_cache')
      .select('key')
      .where('last_used_at', '>', old)
      .execute();
    expect(used).toHaveLength(1);
  });
});
