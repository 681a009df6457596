import { createHash, randomBytes, randomInt, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createArtifactStore } from '../../activities/artifact-store.js';
import type { ArtifactStore } from '../../activities/artifacts.js';
import { createGenerationCache } from '../../activities/generation-cache.js';
import type { Db } from '../../db/database.js';
import { createLogger } from '../../logger.js';
import { createLocalStorage } from '../../storage/local.js';
import { fallbackKey, thumbnailKey } from '../../storage/keys.js';
import { ensureBucket } from '../../storage/s3-bucket.js';
import { createS3Storage } from '../../storage/s3.js';
import type { Storage } from '../../storage/storage.js';
import { Collector } from '../../workers/collector.js';
import { createTestDatabase, createTestFolder, type TestDatabase } from '../support/services.js';

/** In a bucket of its own: what others have there is nothing that this database knows. */
const s3 = async () => {
  const { endpoint, accessKeyId, secretAccessKey } = inject('s3');
  const credentials = { accessKeyId, secretAccessKey };
  const bucket = `collector-${randomUUID()}`;
  const options = { endpoint, bucket, credentials, region: 'us-east-1', forcePathStyle: true };
  await ensureBucket(options);
  return createS3Storage(options);
};

describe.each(['local', 's3'] as const)('the collector on %s storage', (kind) => {
  let database: TestDatabase;
  let db: Db;
  let storage: Storage;
  let store: ArtifactStore;

  beforeAll(async () => {
    database = await createTestDatabase({ poolSize: 20 });
    db = database.db;
    const folder = (await createTestFolder('collector')).path;
    storage = kind === 's3' ? await s3() : await createLocalStorage(folder);
    store = createArtifactStore({ storage, db, cacheDir: `${folder}/cache`, maxCacheBytes: 1 });
  });
  afterAll(() => database.drop());

  const logger = createLogger({ level: 'silent', name: 'test' });
  const collector = (graceSeconds: number, cacheSeconds = 3600) =>
    new Collector({ db, storage, logger, graceSeconds, cacheSeconds });
  const age = (seconds: number) =>
    db
      .updateTable('artifacts')
      .set({ published_at: sql<Date>`now() - make_interval(secs => ${seconds})` })
      .execute();
  const isStored = async (id: string) => (await storage.head(`artifacts/${id}`)) !== undefined;
  const hasRow = async (id: string) =>
    (await db.selectFrom('artifacts').select('id').where('id', '=', id).execute()).length === 1;
  const publish = () => store.publishBytes(randomBytes(64), 'bin');

  it('takes what nothing refers to, and nothing else', async () => {
    const [loose, young, remembered, given, listed, shown, owned, worn] = await Promise.all(
      Array.from({ length: 8 }, publish),
    );
    const ids = { loose, young, remembered, given, listed, shown, owned, worn };
    const [user, job] = [randomUUID(), randomUUID()];
    const insert = (statement: ReturnType<typeof sql>) => statement.execute(db);
    await insert(
      sql`insert into users (id, email, password_hash, avatar_artifact) values (${user}, 'a@b.c', 'x', ${worn})`,
    );
    await insert(
      sql`insert into jobs (id, user_id, type, parameters, workflow_input) values (${job}, ${user}, 'stage', '{}', '{}')`,
    );
    await insert(sql`insert into job_inputs values (${job}, ${given})`);
    await insert(sql`insert into job_artifacts values (${job}, 'script', 'x', ${listed}, 0)`);
    await insert(sql`
      insert into videos (user_id, job_id, title, description, duration_seconds, width, height, bytes, video_artifact,
        thumbnail_artifact, vtt_artifact, srt_artifact, ass_artifact, language, scenes)
      values (${user}, ${job}, 'x', '', 1, 1, 1, 1, ${shown}, ${shown}, ${shown}, ${shown}, ${shown}, 'en', '[]')`);
    await insert(sql`
      insert into assets (user_id, kind, file_name, content_type, bytes, sha256, artifact_id, media)
      values (${user}, 'music', 'x', 'x', 1, 'x', ${owned}, '{}')`);
    const cache = createGenerationCache({ db });
    const name = { activity: 'test', version: 1, inputs: randomUUID() };
    await cache.through(name, () => Promise.resolve({ value: 1, artifacts: [remembered ?? ''] }));
    await age(100);
    await store.publishBytes(await store.readBytes(young ?? ''), 'bin');

    expect((await collector(50).collect()).files).toBe(1);
    for (const [what, id] of Object.entries(ids)) {
      const stays = what !== 'loose';
      expect([what, await hasRow(id ?? ''), await isStored(id ?? '')]).toEqual([what, stays, stays]);
    }

    // A result that nobody uses is forgotten, and its file with it.
    await sql`update generation_cache set last_used_at = now() - interval '1 day'`.execute(db);
    expect(await collector(50).collect()).toMatchObject({ generations: 1, files: 1 });
    expect(await isStored(remembered ?? '')).toBe(false);
    const again = await cache.through(name, () => Promise.resolve({ value: 2, artifacts: [] }));
    expect(again).toEqual({ value: 2, cached: false });
  });

  it('takes files that never got a row, once they are old', async () => {
    const bytes = randomBytes(40);
    const id = `${createHash('sha256').update(bytes).digest('hex')}.bin`;
    await storage.putBytes(`artifacts/${id}`, bytes, 'application/octet-stream');
    expect((await collector(60).collect()).unknownFiles).toBe(0);
    await delay(1_100);
    await age(-60);
    expect((await collector(1).collect()).unknownFiles).toBe(1);
    expect(await isStored(id)).toBe(false);
  });

  it('takes pictures that are made on demand, once they are old', async () => {
    const keys = [fallbackKey(randomUUID()), thumbnailKey(randomBytes(32).toString('hex'), 320)];
    for (const key of keys) await storage.putBytes(key, randomBytes(20), 'image/webp');
    const stored = () => Promise.all(keys.map(async (key) => (await storage.head(key)) !== undefined));
    expect((await collector(3600).collect()).thumbnails).toBe(0);
    expect(await stored()).toEqual([true, true]);
    // Times of objects are whole seconds in some stores.
    await delay(2_100);
    expect((await collector(3600, 1).collect()).thumbnails).toBe(2);
    expect(await stored()).toEqual([false, false]);
  });

  it('asks the store for what was half stored, and goes on when it cannot say', async () => {
    const removed: Date[] = [];
    const failing = new Collector({
      ...{ db, logger, graceSeconds: 3600, cacheSeconds: 3600 },
      storage: {
        ...storage,
        removeUnfinished(before) {
          removed.push(before);
          return Promise.reject(new Error('this store cannot'));
        },
      },
    });
    expect(await failing.collect()).toMatchObject({ unfinished: 0 });
    expect(Date.now() - (removed[0]?.getTime() ?? 0)).toBeGreaterThanOrEqual(3_600_000);
    expect(await collector(3600).collect()).toMatchObject({ unfinished: 0 });
  });

  it('never takes a file from under whoever makes it anew and refers to it', async () => {
    const contents = Array.from({ length: 30 }, () => randomBytes(2_000));
    const pick = () => contents[randomInt(contents.length)] ?? Buffer.alloc(1);
    const user = randomUUID();
    await sql`insert into users (id, email, password_hash) values (${user}, ${`${user}@b.c`}, 'x')`.execute(
      db,
    );
    const broken: string[] = [];
    const end = Date.now() + 6_000;
    let [referred, tooLate, collected] = [0, 0, 0];
    const maker = async () => {
      const job = randomUUID();
      await sql`insert into jobs (id, user_id, type, parameters, workflow_input)
        values (${job}, ${user}, 'stage', '{}', '{}')`.execute(db);
      while (Date.now() < end) {
        const id = await store.publishBytes(pick(), 'bin');
        await delay(randomInt(10));
        const isMine = await sql`insert into job_inputs values (${job}, ${id})`.execute(db).then(
          () => true,
          () => false,
        );
        if (!isMine) {
          tooLate += 1;
          continue;
        }
        referred += 1;
        for (let look = 0; look < 2; look += 1) {
          if (!(await isStored(id)) || !(await hasRow(id))) broken.push(id);
          await delay(randomInt(10));
        }
        await sql`delete from job_inputs where job_id = ${job}`.execute(db);
      }
    };
    const taker = async () => {
      while (Date.now() < end) {
        // As if the grace period were over at once.
        await age(100);
        collected += (await collector(50).collect()).files;
      }
    };
    await Promise.all([maker(), maker(), maker(), maker(), taker(), taker()]);
    expect(broken).toEqual([]);
    expect(collected).toBeGreaterThan(10);
    expect(referred).toBeGreaterThan(10);
    expect(tooLate).toBeLessThan(referred);
    for (const { id } of await db.selectFrom('artifacts').select('id').execute()) {
      expect([id, await isStored(id)]).toEqual([id, true]);
    }
  }, 30_000);
});
