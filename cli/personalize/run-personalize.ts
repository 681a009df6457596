import { randomUUID } from 'node:crypto';
import { access, constants, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../config.js';
import { localAccount } from '../client/account.js';
import { createApiClient, type ApiClient, type Job, type Recipient } from '../client/api-client.js';
import { callerPath } from '../client/caller-folder.js';
import { failureOf, followJob } from '../client/follow-job.js';
import { ApiError } from '../client/http.js';
import { say } from '../client/say.js';
import { topUp } from '../client/top-up.js';
import { withStack, type Ended } from '../client/with-stack.js';
import { untilInterrupted } from '../stack/until-interrupted.js';
import { personalizeForm } from './form.js';
import { parsePersonalizeOptions, personalizeUsage, wrong, type PersonalizeOptions } from './options.js';
import { fewRecipients, outcomeTable } from './outcome-table.js';
import { unpackArchive } from './unpack-archive.js';

/**
 * Makes one video a recipient through the API, elsewhere, on the stack that runs here, or on one of its own, and unpacks
 * them.
 * @returns the exit code: 0 when all were delivered, 1 when not.
 * @throws UsageError before anything is sent
 */
export async function runPersonalize(args: readonly string[], config: Config): Promise<number> {
  if (args.includes('--help')) {
    say(personalizeUsage);
    return 0;
  }
  const options = parsePersonalizeOptions(args);
  const form = await personalizeForm(options);
  const folder = await outputFolder(options);
  const { url } = options;
  if (url === undefined) {
    return await withStack(config, async (addresses, ended) => {
      const account = await localAccount(config.dataDir);
      const client = await createApiClient(addresses.api, { account });
      const pay = (credits: number) => topUp(config, addresses.databaseUrl, account.email, credits);
      return await work(withCredits(client, pay), { form, folder, options, ended });
    });
  }
  const token = config.client.token;
  if (token === undefined) throw wrong(`set CALLSHEET_TOKEN to an API key of ${url}`);
  const key = config.elevenlabs.apiKey;
  if (options.fields['ttsProvider'] === 'elevenlabs' && key !== undefined) form.set('elevenlabsApiKey', key);
  const ended = untilInterrupted().then(() => undefined);
  return await work(await createApiClient(url, { token }), { form, folder, options, ended });
}

interface Batch {
  form: FormData;
  /** Where the files go; undefined for a dry run. */
  folder: string | undefined;
  options: PersonalizeOptions;
  ended: Ended;
}

async function work(client: ApiClient, { form, folder, options, ended }: Batch): Promise<number> {
  if (folder === undefined) {
    const { recipients, columns, credits } = await client.quotePersonalized(form);
    say(`${counted(recipients, 'recipient')}, all in order; columns: ${columns.join(', ')}`);
    say(`${counted(credits.quoted, 'credit')} of ${credits.available} would be spent`);
    return 0;
  }
  const startedAt = Date.now();
  const accepted = await client.personalize(form, randomUUID());
  say(`job ${accepted.id}`);
  const outcome = await followJob(client, accepted, ended);
  if (typeof outcome === 'number') return outcome;
  const unpacked =
    outcome.status === 'completed' ? await fetchFiles(client, outcome, folder, options.force) : undefined;
  say('');
  await tell(client, outcome);
  if (unpacked === undefined) {
    process.stderr.write(`${failureOf(outcome)}\n`);
    return 1;
  }
  const { delivered = 0, failed = 0 } = outcome.result ?? {};
  const made = `${(unpacked.bytes / 1e6).toFixed(1)} MB in ${((Date.now() - startedAt) / 1000).toFixed(0)} s`;
  const others = failed === 0 ? '' : `, ${failed} failed`;
  say(`${delivered} delivered${others}, ${counted(outcome.credits.charged, 'credit')} spent; ${made}`);
  say(folder);
  return failed === 0 ? 0 : 1;
}

/** Whoever runs the stack pays for what runs there: the account gets the credits that a batch takes. */
function withCredits(client: ApiClient, pay: (credits: number) => Promise<void>): ApiClient {
  return {
    ...client,
    async personalize(form, idempotencyKey) {
      try {
        return await client.personalize(form, idempotencyKey);
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== 'insufficient_credits') throw error;
      }
      form.set('dryRun', 'true');
      await pay((await client.quotePersonalized(form)).credits.quoted);
      form.delete('dryRun');
      return await client.personalize(form, randomUUID());
    },
  };
}

async function fetchFiles(client: ApiClient, job: Job, folder: string, force: boolean) {
  const archive = join(folder, `.${job.id}.zip`);
  try {
    await client.download(job.id, archive);
    return await unpackArchive(archive, folder, { force });
  } finally {
    await rm(archive, { force: true });
  }
}

/** Few recipients are all shown; of many, those that were not delivered. */
async function tell(client: ApiClient, job: Job): Promise<void> {
  const first: Recipient[] = [];
  for await (const recipient of client.recipients(job.id)) {
    first.push(recipient);
    if (first.length > fewRecipients) break;
  }
  const shown = first.length <= fewRecipients ? first : [];
  if (first.length > fewRecipients) {
    for await (const recipient of client.recipients(job.id, 'failed')) shown.push(recipient);
  }
  if (shown.length > 0) say(outcomeTable(shown));
}

/** A folder of its own, so that nothing is found to be in the way once the work is done. */
async function outputFolder({ outdir, dryRun, force }: PersonalizeOptions): Promise<string | undefined> {
  if (outdir === undefined || dryRun) return undefined;
  const folder = callerPath(outdir);
  const there = await stat(folder).catch(() => undefined);
  if (there !== undefined && !there.isDirectory()) {
    throw wrong(`--outdir ${folder} is no folder`);
  }
  if (there !== undefined && !force && (await readdir(folder)).length > 0) {
    throw wrong(`--outdir ${folder} has files already; --force writes into it all the same`);
  }
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch {
    throw wrong(`--outdir ${folder} cannot be written`);
  }
  return folder;
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
