import { randomUUID } from 'node:crypto';
import { inheritedEnvironment, readConfig } from '../../config.js';
import { migrateUp } from '../../db/database.js';
import { createLogger } from '../../logger.js';
import { createDependencies } from '../../workers/dependencies.js';
import { pools } from '../../workflows/contract/jobs.js';
import type { ExplainerOptions } from '../../workflows/contract/options.js';
import { runActivity } from '../support/quiet-environment.js';

/** Calls the steps of an explainer one after the other, without an API, an engine or polling. */
export interface DirectJobs {
  /** @returns wall seconds. */
  run(source: string, options: ExplainerOptions): Promise<number>;
  close(): Promise<void>;
}

/** The same activities as the workers', on the same servers, with tables and so a cache of their own. */
export async function createDirectJobs(databaseUrl: string): Promise<DirectJobs> {
  const schema = `direct_${randomUUID().replaceAll('-', '_')}`;
  const config = readConfig({
    ...inheritedEnvironment(),
    DATABASE_URL: databaseUrl,
    DATABASE_SCHEMA: schema,
  });
  const { db, activities, close } = await createDependencies(
    config,
    pools,
    createLogger({ level: 'silent', name: 'bench' }),
  );
  await migrateUp(db, schema);
  const user = await db
    .insertInto('users')
    .values({ email: `${schema}@example.org`, password_hash: 'none' })
    .returning('id')
    .executeTakeFirstOrThrow();

  async function run(source: string, options: ExplainerOptions): Promise<number> {
    const ref = { jobId: randomUUID(), userId: user.id };
    await db
      .insertInto('jobs')
      .values({
        id: ref.jobId,
        user_id: ref.userId,
        type: 'explainer',
        parameters: JSON.stringify({ source }),
        workflow_input: '{}',
        edits: '[]',
        steps: '[]',
      })
      .execute();
    const startedAt = performance.now();
    const { llm, tts, media } = activities;
    const { content } = await runActivity(llm.writeContent, { ...ref, options });
    const written = await runActivity(llm.writeScript, { ...ref, content, options });
    const { script, sceneCount } = written;
    const numbers = Array.from({ length: sceneCount }, (_, index) => index + 1);

    const { voice, language } = options;
    const voiceLanes = config.pools.tts.concurrency;
    const mediaLanes = config.pools.media.concurrency;
    const [pictures, voices] = await Promise.all([
      inLanes(mediaLanes, numbers, async (sceneNumber) => {
        return (await runActivity(media.drawPicture, { ...ref, script, sceneNumber, sceneCount, options }))
          .picture;
      }),
      inLanes(voiceLanes, numbers, async (sceneNumber) => {
        return (await runActivity(tts.speakScene, { ...ref, script, sceneNumber, voice, language })).voice;
      }),
    ]);
    const { captions } = await runActivity(media.timeCaptions, { ...ref, script, voices, options });
    const planned = await runActivity(media.planComposition, { ...ref, pictures, voices, captions, options });
    const { composition } = planned;
    // The sound takes its turn among the segments, as it does in the pool.
    const indexes = [-1, ...planned.segmentFrames.keys()];
    const [[audio = ''] = [], ...rendered] = await inLanes(mediaLanes, indexes, async (index) =>
      index < 0
        ? [(await runActivity(media.mixAudio, { ...ref, composition })).audio]
        : (await runActivity(media.renderSegment, { ...ref, composition, index })).units,
    );
    const units = rendered.flat();
    const { video } = await runActivity(media.assemble, { ...ref, composition, units, audio });
    await runActivity(media.drawThumbnail, { ...ref, video, composition });
    return (performance.now() - startedAt) / 1000;
  }
  return { run, close };
}

/** Maps in order with at most `lanes` at once. */
async function inLanes<I, R>(
  lanes: number,
  items: readonly I[],
  work: (item: I) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const waiting = [...items.entries()];
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      results[next[0]] = await work(next[1]);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}
