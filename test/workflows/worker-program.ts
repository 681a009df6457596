import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledFailure } from '@temporalio/common';
import { createArtifactStore } from '../../activities/artifact-store.js';
import { createDeliveryActivities } from '../../activities/delivery/activities.js';
import { createOrchestrationActivities } from '../../activities/orchestration/activities.js';
import { openDatabase } from '../../db/database.js';
import { listRecipientRange } from '../../db/recipients.js';
import { createLogger } from '../../logger.js';
import { createStorage } from '../../storage/create-storage.js';
import { runWorkers } from '../../workers/program.js';
import { installRuntime } from '../../workers/runtime.js';
import { pools } from '../../workflows/contract/jobs.js';
import { createSketchActivities } from './sketches.js';

/** A worker process that a test may kill; its only argument is this as JSON. */
export interface WorkerProgramSettings {
  address: string;
  namespace: string;
  databaseUrl: string;
  schema: string;
  folder: string;
  /** Every started activity becomes a line `name item` here. */
  callsFile: string;
  /** How long a segment or a recipient's file takes. */
  renderMs: number;
}

// Only our own test passes it, as this type.
const settings = JSON.parse(process.argv[2] ?? '{}') as WorkerProgramSettings;
const logger = createLogger({ level: 'info', name: 'worker' });
installRuntime(logger);

const db = openDatabase({ url: settings.databaseUrl, schema: settings.schema, poolSize: 4 }, () => undefined);
const storage = await createStorage({ kind: 'local', dir: `${settings.folder}/storage` });
const artifacts = createArtifactStore({
  storage,
  db,
  cacheDir: `${settings.folder}/cache`,
  maxCacheBytes: 1e9,
});
const sketches = createSketchActivities({
  artifacts,
  sceneCount: 3,
  packing: {
    scratchDir: `${settings.folder}/scratch`,
    listRecipients: (jobId, range) => listRecipientRange(db, jobId, range),
  },
  calls: [],
  before: async ({ activity, item }, signal) => {
    appendFileSync(settings.callsFile, `${activity} ${item}\n`);
    if (activity !== 'renderSegment' && activity !== 'renderRecipient') return;
    await sleep(settings.renderMs, undefined, { signal }).catch(() => {
      throw new CancelledFailure('stopped');
    });
  },
});
const pool = { concurrency: 4, perSecond: undefined };
const workers = runWorkers({
  config: {
    temporal: {
      address: settings.address,
      namespace: settings.namespace,
      apiKey: undefined,
      tls: false,
      cliPath: undefined,
      uiPort: 0,
    },
    pools: { orchestration: pool, llm: pool, tts: pool, lipsync: pool, media: pool, delivery: pool },
    shutdownGraceSeconds: 10,
    sweepIntervalSeconds: 1,
  },
  pools,
  db,
  activities: {
    orchestration: createOrchestrationActivities({ db, artifacts }),
    ...sketches,
    delivery: createDeliveryActivities({ db, allowPrivateCallbacks: true }),
  },
  logger,
});
process.once('SIGTERM', () => {
  workers
    .stop()
    .then(() => db.destroy())
    .then(() => process.exit(0))
    .catch(() => process.exit(1));
});
