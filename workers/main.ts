import { setPriority } from 'node:os';
import { parseArgs } from 'node:util';
import { sweepScratch } from '../activities/scratch.js';
import { standBack } from '../activities/stand-back.js';
import { readConfig } from '../config.js';
import { createLogger } from '../logger.js';
import { pools as allPools, type Pool } from '../workflows/contract/jobs.js';
import { Collector } from './collector.js';
import { createDependencies, scratchFolder } from './dependencies.js';
import { runWorkers } from './program.js';
import { installRuntime } from './runtime.js';
import { warmUp } from './warm-up.js';

/** Behind the API and the database of the same host, so that they answer while it renders; ffmpeg is behind this. */
const niceness = 10;

/** `node workers/main.js [--pool media --pool delivery …]`; without a pool, all of them in this process. */
async function main(): Promise<void> {
  // Before any thread is made, because threads take over what made them.
  setPriority(niceness);
  standBack('self', niceness);
  const pools = readPools();
  const config = readConfig();
  const logger = createLogger({ level: config.logLevel, name: 'worker' });
  installRuntime(logger);
  await sweepScratch(scratchFolder(config));
  const dependencies = await createDependencies(config, pools, logger);
  const { db, storage, activities, rehearsals } = dependencies;
  const collector = new Collector({
    db,
    storage,
    logger,
    cacheSeconds: config.collector.cacheDays * 24 * 3600,
    graceSeconds: config.collector.graceHours * 3600,
  });
  const workers = runWorkers({ config, pools, db, activities, logger, collector });
  const stopping = new AbortController();
  const warm = warmUp(rehearsals, logger, stopping.signal);

  const broken = workers.broken.then((error) => {
    logger.error({ stage: 'worker', action: 'run', success: false, err: error });
    process.exitCode = 1;
    return 'broken';
  });
  const reason = await Promise.race([firstSignal(), broken]);
  logger.info({ stage: 'worker', action: 'drain', success: true, info: { reason } });
  stopping.abort(new Error('the workers stop'));
  await workers.stop();
  await warm;
  await dependencies.close();
  logger.info({ stage: 'worker', action: 'stop', success: true });
}

function readPools(): readonly Pool[] {
  const { values } = parseArgs({ options: { pool: { type: 'string', multiple: true } } });
  const unknown = values.pool?.find((name) => !isPool(name));
  if (unknown !== undefined) throw new Error(`there is no pool ${unknown}; pools: ${allPools.join(', ')}`);
  return values.pool?.filter(isPool) ?? allPools;
}

function isPool(name: string): name is Pool {
  return allPools.some((pool) => pool === name);
}

function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.on(name, () => {
        resolve(name);
      });
    }
  });
}

await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
// What a native library still holds must not keep a drained worker from ending.
process.exit();
