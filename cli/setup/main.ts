import { inheritedEnvironment, readConfig } from '../../config.js';
import { buildAll } from './build.js';
import { ensureFfmpeg } from './ensure-ffmpeg.js';
import { ensureTemporal } from './ensure-temporal.js';
import { ensureVersitygw } from './ensure-versitygw.js';
import { say, SetupError } from './say.js';

const purposes = ['start', 'demo', 'test', 'bench', 'build'] as const;
type Purpose = (typeof purposes)[number];

/** Makes what `purpose` needs: programs of the system, then what is built from the sources. */
async function setUp(purpose: Purpose): Promise<void> {
  const config = readConfig();
  const searchPath = inheritedEnvironment()['PATH'] ?? '';
  if (purpose !== 'build') {
    await ensureFfmpeg(config.tools, searchPath);
    if (config.temporal.address === undefined || purpose === 'test') {
      await ensureTemporal(config.temporal.cliPath, searchPath);
    }
    if (purpose === 'test') await ensureVersitygw(searchPath);
  }
  await buildAll();
}

const startedAt = Date.now();
const purpose = purposes.find((one) => one === process.argv[2]);
try {
  if (purpose === undefined) throw new SetupError(`usage: node cli/setup.mjs ${purposes.join('|')}`);
  await setUp(purpose);
  say(`ready after ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
} catch (error) {
  // A sentence of ours stands alone; anything else is a defect, and its stack helps.
  const known =
    error instanceof SetupError || (error instanceof Error && error.message.startsWith('configuration'));
  process.stderr.write(
    `setup: ${known ? error.message : error instanceof Error ? String(error.stack) : String(error)}\n`,
  );
  process.exitCode = 1;
}
