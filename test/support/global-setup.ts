import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { createSupervisor, type Supervisor } from '../../cli/stack/process-supervisor.js';
import { freePort } from '../../cli/stack/free-port.js';
import { buildAll } from '../../cli/setup/build.js';
import { startPostgres } from '../../cli/stack/postgres.js';
import { startTemporal } from '../../cli/stack/temporal.js';
import { findTool } from '../../cli/stack/tools.js';
import { startS3Server, type S3Settings } from './s3-server.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** PostgreSQL with rights to create schemas. */
    databaseUrl: string;
    temporalAddress: string;
    /** Namespaces made in advance, because a new one takes seconds to become known everywhere. */
    temporalNamespaces: string[];
    /** The `temporal` program, for suites that start and kill a server of their own. */
    temporalCliPath: string;
    s3: S3Settings;
    /** The `versitygw` program, for suites that stop and start an S3 server of their own. */
    s3ProgramPath: string;
    ffmpegPath: string;
    ffprobePath: string;
    /** Folder of this run; removed at its end. */
    runFolder: string;
  }
}

const namespaceCount = 40;

/** Starts what the tests need once for the whole run and ends it with the run, also when that fails. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Node 20 is supported on purpose; the SDK's farewell to it would only drown the results.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
  const runFolder = await mkdtemp(join(tmpdir(), 'callsheet-test-'));
  // The database server, which is another user when this is root, has to pass through.
  await chmod(runFolder, 0o711);
  const supervisor = createSupervisor();
  const teardown = async () => {
    await supervisor.stopAll();
    await rm(runFolder, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    await buildAll();
    await provideServices(project, runFolder, supervisor);
  } catch (error) {
    await teardown();
    throw error;
  }
  return teardown;
}

async function provideServices(
  project: TestProject,
  runFolder: string,
  supervisor: Supervisor,
): Promise<void> {
  const temporalCliPath = tool('temporal', process.env['TEMPORAL_CLI']);
  const s3ProgramPath = tool('versitygw', process.env['VERSITYGW_PATH']);
  project.provide('temporalCliPath', temporalCliPath);
  project.provide('s3ProgramPath', s3ProgramPath);
  project.provide('ffmpegPath', tool('ffmpeg', process.env['FFMPEG_PATH']));
  project.provide('ffprobePath', tool('ffprobe', process.env['FFPROBE_PATH']));
  project.provide('runFolder', runFolder);

  const namespaces = Array.from({ length: namespaceCount }, (_, index) => `suite-${String(index + 1)}`);
  await mkdir(join(runFolder, 'claimed-namespaces'));
  const [databaseUrl, temporal, s3] = await Promise.all([
    startDatabase(runFolder, supervisor),
    startTemporal({
      cliPath: temporalCliPath,
      port: await freePort(),
      namespaces,
      logFile: join(runFolder, 'temporal.log'),
      supervisor,
    }),
    startS3Server({
      programPath: s3ProgramPath,
      dir: join(runFolder, 's3'),
      port: await freePort(),
      supervisor,
    }),
  ]);
  project.provide('databaseUrl', databaseUrl);
  project.provide('temporalAddress', temporal.address);
  project.provide('temporalNamespaces', namespaces);
  project.provide('s3', s3.settings);
}

async function startDatabase(runFolder: string, supervisor: Supervisor): Promise<string> {
  const given = process.env['DATABASE_URL'];
  if (given !== undefined && given !== '') return given;
  const dir = join(runFolder, 'postgres');
  const server = await startPostgres({ dir, port: await freePort(), volatile: true, supervisor });
  return server.url;
}

function tool(name: string, configured: string | undefined): string {
  const path = findTool(name, configured === '' ? undefined : configured, process.env['PATH'] ?? '');
  if (path === undefined)
    throw new Error(`${name} is missing: run "node cli/setup.mjs test", which installs it`);
  return path;
}
