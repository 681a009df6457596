import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { runToEnd } from '../stack/run-to-end.js';
import { findTool, toolsFolder } from '../stack/tools.js';
import { findGo, goInstall } from './go-install.js';
import { say, SetupError } from './say.js';

/** Later releases have a `replace` directive, which `go install` refuses. */
const version = 'v1.5.1';
const goModule = `github.com/temporalio/cli/cmd/temporal@${version}`;
/** A host without a way out should not wait long before it builds instead. */
const answerTimeoutMs = 8_000;
const downloadTimeoutMs = 5 * 60_000;

/** The `temporal` program: as configured, on PATH, kept from before, downloaded, or built; in this order. */
export async function ensureTemporal(configured: string | undefined, searchPath: string): Promise<string> {
  const found = findTool('temporal', configured, searchPath);
  if (found !== undefined) return found;
  if (configured !== undefined) {
    throw new SetupError(`TEMPORAL_CLI does not name a program: correct it, or leave it out`);
  }
  say(`downloading the Temporal CLI ${version}`);
  const failure = await download().catch((error: unknown) => error);
  if (typeof failure === 'string') return failure;

  const go = findGo(searchPath);
  if (go === undefined) {
    throw new SetupError(
      'the Temporal CLI can neither be downloaded nor built: install it (https://docs.temporal.io/cli) ' +
        'or Go (https://go.dev/dl), or point TEMPORAL_CLI to it',
    );
  }
  say('the download is not to be had; building the Temporal CLI with Go (2 to 3 minutes, once)');
  return await goInstall(go, goModule, 'temporal');
}

/** The official archive for this platform; it must run here before it counts. */
export function downloadAddress(platform: string, arch: string): string | undefined {
  const system = { linux: 'linux', darwin: 'darwin' }[platform];
  const machine = { x64: 'amd64', arm64: 'arm64' }[arch];
  if (system === undefined || machine === undefined) return undefined;
  return `https://temporal.download/cli/archive/${version}?platform=${system}&arch=${machine}`;
}

async function download(): Promise<string> {
  const address = downloadAddress(process.platform, process.arch);
  if (address === undefined) throw new Error('no download for this platform');
  await mkdir(toolsFolder(), { recursive: true });
  const draft = await mkdtemp(join(toolsFolder(), '.downloading-'));
  const abort = new AbortController();
  const timer = setTimeout(() => {
    abort.abort();
  }, answerTimeoutMs);
  try {
    const answer = await fetch(address, { signal: abort.signal });
    clearTimeout(timer);
    if (!answer.ok || answer.body === null) throw new Error(`HTTP ${String(answer.status)}`);
    const archive = join(draft, 'temporal.tar.gz');
    const signal = AbortSignal.timeout(downloadTimeoutMs);
    await pipeline(Readable.fromWeb(answer.body), createWriteStream(archive), { signal });
    await runToEnd('tar', ['-xzf', archive, '-C', draft, 'temporal']);
    await runToEnd(join(draft, 'temporal'), ['--version'], { timeoutMs: 20_000 });
    const program = join(toolsFolder(), 'temporal');
    await rename(join(draft, 'temporal'), program);
    return program;
  } finally {
    clearTimeout(timer);
    await rm(draft, { recursive: true, force: true });
  }
}
