import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Connection, WorkflowClient } from '@temporalio/client';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createEspeakVoice } from '../../activities/tts/espeak.js';
import { startElevenLabs, ownElevenLabsKey, type ElevenLabsDouble } from '../support/wire/elevenlabs.js';
import { createDoubleVoice } from '../support/wire/spoken-answers.js';
import { makeTalkingBase, type TalkingBase } from '../support/talking-base.js';
import { startE2eStack, type E2eStack } from './e2e-stack.js';
import { expectInvariants } from './invariants.js';

const espeak = createEspeakVoice();
const voice = createDoubleVoice();
let double: ElevenLabsDouble;
let stack: E2eStack;
let base: TalkingBase;

beforeAll(async () => {
  double = await startElevenLabs(voice);
  stack = await startE2eStack({ env: { ELEVENLABS_BASE_URL: double.baseUrl } });
  base = await makeTalkingBase(stack.dataDir, { voice: espeak, text: 'Hello friend. Welcome to our city.' });
});
afterAll(async () => {
  espeak.close();
  voice.close();
  await stack.stop();
  await double.close();
});

async function order(more: Record<string, string> = {}): Promise<FormData> {
  const form = new FormData();
  const { startSeconds, endSeconds } = base.timeOf('friend');
  const fields = {
    ...{ insertMode: 'silver', placeholders: JSON.stringify([{ startSeconds, endSeconds }]) },
    ...{ ttsProvider: 'elevenlabs', elevenlabsApiKey: ownElevenLabsKey, batchNameTts: 'true' },
    ...more,
  };
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('baseVideo', new Blob([new Uint8Array(await readFile(base.path))]), 'base.mp4');
  form.append('recipients', new Blob(['name\nAda\nGrace\nMaria\n']), 'people.csv');
  form.append('voiceSample', new Blob([new Uint8Array(await voice.wav('This is how I speak.'))]), 'me.wav');
  return form;
}

/** The key in each of the forms in which something may hold it. */
const forms = [
  ownElevenLabsKey,
  Buffer.from(ownElevenLabsKey).toString('hex'),
  // Without the ends, which depend on what stands beside it.
  ...[0, 1, 2].map((shift) => Buffer.from(ownElevenLabsKey.slice(shift)).toString('base64').slice(2, -4)),
];
const expectWithoutKey = (text: string): void => {
  for (const form of forms) expect(text.includes(form), form.slice(0, 6)).toBe(false);
};

it(
  'says names with a user’s own key, which is nowhere to be found afterwards',
  { timeout: 300_000 },
  async () => {
    const { client } = stack;
    const quote = await client.call('/personalized-videos', {
      method: 'POST',
      body: await order({ dryRun: 'true' }),
    });
    expect(quote.status).toBe(200);
    expect(await stack.db.selectFrom('provider_credentials').selectAll().execute()).toEqual([]);

    const accepted = await client.call('/personalized-videos', { method: 'POST', body: await order() });
    expect(accepted.status, accepted.bytes.toString()).toBe(202);
    const job = await client.completed(accepted.json.id);
    expect(job.result).toMatchObject({ delivered: 3, failed: 0 });

    // Three names in one request with one cloned voice, in the user's own account.
    const speech = double.calls.filter(({ path }) => path.startsWith('/v1/text-to-speech/'));
    expect(speech.map(({ body }) => body?.['text'])).toEqual(['Ada … Grace … Maria']);
    expect(double.calls.filter(({ path }) => path === '/v1/voices/add')).toHaveLength(1);
    expect(new Set(double.calls.map(({ key }) => key))).toEqual(new Set([ownElevenLabsKey]));
    expect(await stack.db.selectFrom('provider_credentials').select('id').execute()).toHaveLength(1);

    const cleared = await client.call('/cache/name-audio/clear', { method: 'POST' });
    expect(cleared.json).toEqual({ deleted: 3 });
    const again = await client.call('/personalized-videos', { method: 'POST', body: await order() });
    await client.completed(again.json.id);
    expect(double.calls.filter(({ path }) => path.startsWith('/v1/text-to-speech/'))).toHaveLength(2);
    expect(await stack.db.selectFrom('provider_credentials').select('id').execute()).toHaveLength(1);

    double.keys.clear();
    await client.call('/cache/name-audio/clear', { method: 'POST' });
    const refused = await client.call('/personalized-videos', { method: 'POST', body: await order() });
    expect(await client.ended(refused.json.id)).toMatchObject({ status: 'failed' });
    const recipients = await client.call(`/jobs/${refused.json.id}/recipients`);
    expect(recipients.json.items[0].error).toMatchObject({ code: 'voice_key_refused' });
    expectWithoutKey(recipients.bytes.toString());

    const jobs = [accepted.json.id, again.json.id, refused.json.id] as string[];
    for (const id of jobs) expectWithoutKey(JSON.stringify((await client.call(`/jobs/${id}`)).json));
    expectWithoutKey(await databaseDump());
    const histories = await historiesOf(jobs);
    // The history is really looked into: it names the key by its id.
    const [row] = await stack.db.selectFrom('provider_credentials').select('id').execute();
    expect(histories).toContain(row?.id);
    expectWithoutKey(histories);
    const logs = readdirSync(join(stack.dataDir, 'logs')).map((name) =>
      readFileSync(join(stack.dataDir, 'logs', name), 'latin1'),
    );
    expect(logs.join('').length).toBeGreaterThan(1_000);
    expectWithoutKey(logs.join('\n'));
    await expectInvariants(stack);
  },
);

async function databaseDump(): Promise<string> {
  const tables = await stack.db.introspection.getTables();
  const dump: string[] = [];
  for (const { name, schema } of tables) {
    const { rows } = await sql<{
      line: string;
    }>`select t::text as line from ${sql.table(`${String(schema)}.${name}`)} as t`.execute(stack.db);
    dump.push(name, ...rows.map(({ line }) => line));
  }
  expect(dump).toContain('provider_credentials');
  return dump.join('\n');
}

/** Every history of the jobs and their children, and what their payloads say. */
async function historiesOf(jobs: readonly string[]): Promise<string> {
  const connection = await Connection.connect({ address: String(stack.env['TEMPORAL_ADDRESS']) });
  const client = new WorkflowClient({ connection, namespace: String(stack.env['TEMPORAL_NAMESPACE']) });
  const texts: string[] = [];
  const ids = jobs.flatMap((id) => [id, `${id}-0`, `${id}-1`, `${id}-2`]);
  for (const id of ids) {
    const history = await client
      .getHandle(id)
      .fetchHistory()
      .catch(() => undefined);
    if (history === undefined) continue;
    const json = JSON.stringify(history);
    // Payloads stand in it as base64.
    const payloads = [...json.matchAll(/"data":"([A-Za-z0-9+/=]+)"/g)].map(([, data = '']) => data);
    texts.push(json, ...payloads.map((data) => Buffer.from(data, 'base64').toString()));
  }
  await connection.close();
  expect(texts.length).toBeGreaterThanOrEqual(jobs.length);
  return texts.join('\n');
}
