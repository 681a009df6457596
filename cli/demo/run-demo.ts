import { randomUUID } from 'node:crypto';
import { access, constants, mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { inheritedEnvironment, type Config } from '../../config.js';
import { findRunningStack, type StackAddresses } from '../stack/stack-record.js';
import { startStack } from '../stack/start-stack.js';
import { untilInterrupted } from '../stack/until-interrupted.js';
import { demoAccount } from './account.js';
import { createApiClient, type ApiClient, type Job } from './api-client.js';
import { parseDemoOptions, type DemoOptions } from './options.js';
import { createProgressView } from './progress-view.js';
import { topUp } from './top-up.js';

const pollMs = 500;

/**
 * Renders one video through the API: on the stack that runs, or on one of its own that it stops afterwards.
 * @returns the exit code.
 */
export async function runDemo(args: readonly string[], config: Config): Promise<number> {
  const options = parseDemoOptions(args);
  const text = await requestText(options);
  const path = await writablePath(options.out);
  const interrupted = untilInterrupted();
  const running = findRunningStack(config.dataDir)?.addresses;
  if (running !== undefined) {
    say(`using the stack that runs at ${running.api}`);
    return await render(
      running,
      { ...options, out: path },
      text,
      config,
      interrupted.then(() => undefined),
    );
  }

  let breakStack: (error: Error) => void = () => undefined;
  const broken = new Promise<Error>((settle) => {
    breakStack = settle;
  });
  const starting = startStack({ config, onLine: say, onBroken: breakStack });
  const stack = await Promise.race([starting, interrupted.then(() => undefined)]);
  if (stack === undefined) {
    // Interrupted while starting: let it come to a point from which it can be stopped in order.
    await starting.then((started) => started.stop()).catch(() => undefined);
    return 130;
  }
  try {
    const ended = Promise.race([broken, interrupted.then(() => undefined)]);
    const code = await render(stack.addresses, { ...options, out: path }, text, config, ended);
    if (!options.keep || code !== 0) return code;
    say('the stack keeps running; Ctrl-C stops it');
    const failure = await ended;
    if (failure !== undefined) process.stderr.write(`${failure.message}\n`);
    return failure === undefined ? 0 : 1;
  } finally {
    say('stopping the stack ("npm start" keeps it up)');
    await stack.stop();
  }
}

/** @param ended resolves when rendering must end early, with the error where there is one. */
async function render(
  addresses: StackAddresses,
  options: DemoOptions,
  text: { source: string } | { prompt: string },
  config: Config,
  ended: Promise<Error | undefined>,
): Promise<number> {
  const account = await demoAccount(config.dataDir);
  const client = await createApiClient(addresses.api, account);
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
  const outcome = await Promise.race([follow(client, accepted), ended]);
  if (outcome === undefined || outcome instanceof Error) {
    await client.cancelJob(accepted.id).catch(() => undefined);
    process.stderr.write(
      `${outcome === undefined ? 'interrupted; the job is cancelled' : outcome.message}\n`,
    );
    return outcome === undefined ? 130 : 1;
  }
  if (outcome.status !== 'completed') {
    const { error } = outcome;
    process.stderr.write(`the job ${outcome.status}: ${error === null ? 'no reason given' : error.detail}\n`);
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

/** Polls until the job has ended, as a client without events would. */
async function follow(client: ApiClient, accepted: Job): Promise<Job> {
  const view = createProgressView(process.stdout);
  for (let job = accepted; ; job = await client.getJob(accepted.id)) {
    view.show(job);
    if (job.status === 'completed' || job.status === 'failed' || job.status === 'cancelled') return job;
    await sleep(pollMs);
  }
}

async function requestText(options: DemoOptions): Promise<{ source: string } | { prompt: string }> {
  if (options.prompt !== undefined) return { prompt: options.prompt };
  const path = options.source === undefined ? await samplePath() : resolve(callerFolder(), options.source);
  try {
    return { source: await readFile(path, 'utf8') };
  } catch (error) {
    const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw new Error(`--source ${path} ${isAbsent ? 'is not there' : 'cannot be read'}`, { cause: error });
  }
}

/** Where the video goes, checked before minutes are spent on it. */
async function writablePath(out: string): Promise<string> {
  const path = resolve(callerFolder(), out);
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

/** npm runs scripts in the project's root; relative names mean the folder in which the user typed. */
const callerFolder = (): string => inheritedEnvironment()['INIT_CWD'] ?? process.cwd();

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
