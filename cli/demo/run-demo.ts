import { randomUUID } from 'node:crypto';
import { access, constants, mkdir, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../../config.js';
import { localAccount } from '../client/account.js';
import { createApiClient } from '../client/api-client.js';
import { callerPath } from '../client/caller-folder.js';
import { failureOf, followJob } from '../client/follow-job.js';
import { say } from '../client/say.js';
import { topUp } from '../client/top-up.js';
import { withStack, type Ended } from '../client/with-stack.js';
import type { StackAddresses } from '../stack/stack-record.js';
import { parseDemoOptions, type DemoOptions } from './options.js';

/**
 * Renders one video through the API: on the stack that runs, or on one of its own that it stops afterwards.
 * @returns the exit code.
 */
export async function runDemo(args: readonly string[], config: Config): Promise<number> {
  const options = parseDemoOptions(args);
  const text = await requestText(options);
  const out = await writablePath(options.out);
  return await withStack(
    config,
    (addresses, ended) => render(addresses, { ...options, out }, text, config, ended),
    options,
  );
}

async function render(
  addresses: StackAddresses,
  options: DemoOptions,
  text: { source: string } | { prompt: string },
  config: Config,
  ended: Ended,
): Promise<number> {
  const account = await localAccount(config.dataDir);
  const client = await createApiClient(addresses.api, { account });
  await topUp(config, addresses.databaseUrl, account.email);
  const startedAt = Date.now();
  const accepted = await client.generateVideo({ ...text, ...options.video }, randomUUID());
  say(`job ${accepted.id}`);
  if (config.gemini === undefined && 'source' in text) {
    say(
      'the text is told as it stands, by rules; with GEMINI_API_KEY set a language model writes the script',
    );
  }
  if (addresses.webUi !== undefined) {
    say(`follow it at ${addresses.webUi}/namespaces/${config.temporal.namespace}/workflows/${accepted.id}`);
  }
  const outcome = await followJob(client, accepted, ended);
  if (typeof outcome === 'number') return outcome;
  if (outcome.status !== 'completed') {
    process.stderr.write(`${failureOf(outcome)}\n`);
    return 1;
  }
  const path = options.out;
  await client.download(outcome.id, path);
  const { size } = await stat(path);
  const seconds = outcome.result?.durationSeconds;
  const length = seconds === undefined ? '' : `${seconds.toFixed(1)} s of video, `;
  say('');
  say(path);
  say(`${length}${(size / 1e6).toFixed(1)} MB, made in ${((Date.now() - startedAt) / 1000).toFixed(0)} s`);
  say(`API ${addresses.api} (docs at ${addresses.api}/docs)`);
  if (addresses.webUi !== undefined) say(`Temporal Web UI ${addresses.webUi}`);
  return 0;
}

async function requestText(options: DemoOptions): Promise<{ source: string } | { prompt: string }> {
  if (options.prompt !== undefined) return { prompt: options.prompt };
  const path = options.source === undefined ? await samplePath() : callerPath(options.source);
  try {
    return { source: await readFile(path, 'utf8') };
  } catch (error) {
    const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw new Error(`--source ${path} ${isAbsent ? 'is not there' : 'cannot be read'}`, { cause: error });
  }
}

/** Where the video goes, checked before minutes are spent on it. */
async function writablePath(out: string): Promise<string> {
  const path = callerPath(out);
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() === true;
  if (isFolder) throw new Error(`--out ${path} is a folder; name a file in it`);
  try {
    await mkdir(dirname(path), { recursive: true });
    await access(dirname(path), constants.W_OK);
  } catch (error) {
    throw new Error(`--out ${path} cannot be written`, { cause: error });
  }
  return path;
}

/** The sample lies among the sources, also when this file is compiled into dist. */
async function samplePath(): Promise<string> {
  for (const up of ['..', '../../../cli']) {
    const path = fileURLToPath(new URL(`${up}/sample-article.md`, import.meta.url));
    if ((await stat(path).catch(() => undefined)) !== undefined) return path;
  }
  throw new Error('the sample article is missing: give --source');
}
