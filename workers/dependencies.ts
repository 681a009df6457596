import { join } from 'node:path';
import { createArtifactStore } from '../activities/artifact-store.js';
import { canonicalHash } from '../activities/canonical-hash.js';
import { createGenerationCache } from '../activities/generation-cache.js';
import { createDeliveryActivities } from '../activities/delivery/activities.js';
import { createLlmActivities } from '../activities/llm/activities.js';
import { createGeminiWriter } from '../activities/llm/gemini.js';
import { createOutlineWriter } from '../activities/llm/outline.js';
import { createLipsyncActivities } from '../activities/lipsync/activities.js';
import { createNoLipSync } from '../activities/lipsync/none.js';
import { createSyncLipSync } from '../activities/lipsync/sync/sync.js';
import { createVisemeLipSync } from '../activities/lipsync/viseme/viseme.js';
import { createWav2Lip } from '../activities/lipsync/wav2lip.js';
import { createMediaActivities } from '../activities/media/activities.js';
import { runProgram } from '../activities/media/ffmpeg/program.js';
import { writeFontconfig } from '../activities/media/fonts.js';
import { createSlidesProvider } from '../activities/media/pictures/slides.js';
import { rehearseMedia } from '../activities/media/rehearse.js';
import { createFontSet } from '../activities/media/text/font-set.js';
import { createOrchestrationActivities } from '../activities/orchestration/activities.js';
import { createTtsActivities } from '../activities/tts/activities.js';
import { createEspeakVoice } from '../activities/tts/espeak.js';
import type { Config } from '../config.js';
import { openDatabase, type Db } from '../db/database.js';
import { findGeneration } from '../db/generation-cache.js';
import { readJobTexts } from '../db/job-texts.js';
import { noteNameAudioUse } from '../db/name-audio.js';
import { findRecipient, listRecipientRange } from '../db/recipients.js';
import type { Logger } from '../logger.js';
import { createStorage } from '../storage/create-storage.js';
import type { Storage } from '../storage/storage.js';
import type { Pool } from '../workflows/contract/jobs.js';
import { createNameVoices } from './name-voices.js';
import type { PoolActivities } from './pools.js';
import type { Rehearsal } from './warm-up.js';

export interface Dependencies {
  db: Db;
  storage: Storage;
  activities: PoolActivities;
  /** What the first jobs of the pools would otherwise wait for. */
  rehearsals: Rehearsal[];
  /** Ends the programs and connections that the activities hold; only once no activity runs. */
  close(): Promise<void>;
}

/** Where work in progress lies on this host; whoever finds a dead process's folder there removes it. */
export const scratchFolder = (config: Pick<Config, 'dataDir'>): string => join(config.dataDir, 'scratch');

/**
 * The composition root: from the configuration to the activities of every pool. Nothing here waits for the
 * database or Temporal, which may come up later.
 *
 * @throws when something is missing that no retry brings, in one sentence.
 */
export async function createDependencies(
  config: Config,
  pools: readonly Pool[],
  logger: Logger,
): Promise<Dependencies> {
  const { url, schema, poolSize } = config.database;
  if (url === undefined) {
    throw new Error('DATABASE_URL is not set; "npm start" brings up a database of its own');
  }
  if (pools.includes('media')) await checkTools(config.tools);

  const db = openDatabase({ url, schema, poolSize }, (error) => {
    logger.warn({ stage: 'database', action: 'connection lost', success: false, err: error });
  });
  const storage = await createStorage(config.storage);
  const artifacts = createArtifactStore({
    storage,
    db,
    cacheDir: join(config.dataDir, 'artifact-cache'),
    maxCacheBytes: config.artifactCacheBytes,
  });
  const cache = createGenerationCache({ db });
  const espeak = createEspeakVoice();
  const slides = createSlidesProvider(createFontSet());
  const { tools } = config;
  const drawing = {
    scratchDir: scratchFolder(config),
    tools,
    fontconfigFile: await writeFontconfig(join(config.dataDir, 'fonts')),
  };

  const recipients = {
    readRecipient: (jobId: string, position: number) => findRecipient(db, jobId, position),
    listRecipients: (jobId: string, range: { from: number; to: number }) =>
      listRecipientRange(db, jobId, range),
  };
  const activities: PoolActivities = {
    orchestration: createOrchestrationActivities({ db, artifacts }),
    llm: createLlmActivities({
      artifacts,
      cache,
      readTexts: (job) => readJobTexts(db, job),
      model: config.gemini === undefined ? undefined : createGeminiWriter(config.gemini),
      outline: createOutlineWriter(),
    }),
    tts: createTtsActivities({
      ...{ artifacts, cache, ...recipients },
      voices: { espeak },
      nameVoices: createNameVoices({ config, db, artifacts, espeak, ...drawing }),
      noteNameUse: (userId, name) => noteNameAudioUse(db, userId, canonicalHash(name)),
      isCached: async (name) => (await findGeneration(db, canonicalHash(name))) !== undefined,
    }),
    lipsync: createLipsyncActivities({
      ...{ artifacts, cache, ...drawing },
      providers: {
        none: createNoLipSync(),
        viseme: createVisemeLipSync({
          speak: (text, language, signal) =>
            espeak.speak({ text, language, voiceId: null, speed: 1 }, signal),
        }),
        ...(config.sync && { sync: createSyncLipSync({ ...config.sync, tools }) }),
        ...(config.wav2lip && { wav2lip: createWav2Lip({ ...config.wav2lip, tools }) }),
      },
    }),
    media: createMediaActivities({
      ...{ artifacts, cache, ...drawing, ...recipients },
      pictureProviders: { slides },
    }),
    delivery: createDeliveryActivities({ db, allowPrivateCallbacks: config.callbacks.allowPrivate }),
  };
  const rehearsals: Record<string, Rehearsal> = {
    tts: (signal) => espeak.speak({ text: 'Ready.', language: 'en', voiceId: null, speed: 1 }, signal),
    media: (signal) => rehearseMedia({ ...drawing, slides }, signal),
  };
  return {
    db,
    storage,
    activities,
    rehearsals: pools.flatMap((pool) => rehearsals[pool] ?? []),
    async close() {
      espeak.close();
      await db.destroy();
    },
  };
}

async function checkTools({ ffmpegPath, ffprobePath }: Config['tools']): Promise<void> {
  for (const [path, setting] of [
    [ffmpegPath, 'FFMPEG_PATH'],
    [ffprobePath, 'FFPROBE_PATH'],
  ] as const) {
    await runProgram({ path, args: ['-version'], timeoutMs: 30_000 }).catch((error: unknown) => {
      throw new Error(`${path} does not run here; install ffmpeg or set ${setting}`, { cause: error });
    });
  }
}
