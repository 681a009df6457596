import { randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createEspeakVoice } from '../../activities/tts/espeak.js';
import { readArchive } from '../support/read-archive.js';
import { makeTalkingBase, type TalkingBase } from '../support/talking-base.js';
import { startE2eStack, type E2eStack } from './e2e-stack.js';
import { expectInvariants } from './invariants.js';
import { lookAtVideo } from './media-facts.js';
import { acceptBatch } from './personalized-jobs.js';

const jobCount = 1;
const names = ['Ada', 'Bob', 'Cleo', 'Dora'];
/** Fewer than the attempts that a media activity has: none may be met by all of them. */
const kills = 4;
const pauseMs = [2_000, 5_000] as const;

const request = (salt: string) => ({
  source: `# Harbours\n\n## Bergen ${salt}\n\nThe harbour wakes slowly.\n\n## Porto ${salt}\n\nGulls follow the first boats.`,
  sceneCount: 2,
  resolution: '720p',
});

const voice = createEspeakVoice();
let stack: E2eStack;
let base: TalkingBase;
beforeAll(async () => {
  stack = await startE2eStack({ workers: 2 });
  base = await makeTalkingBase(stack.dataDir, { voice, text: 'Hello friend, and welcome to our city.' });
});
afterAll(async () => {
  voice.close();
  await stack.stop();
});

it('jobs and a batch outlive a random worker that is killed every few seconds', async () => {
  const { client } = stack;
  const batch = await acceptBatch(stack, base.path, ['name', ...names].join('\n'), {
    insertMode: 'gold',
    transcript: 'Hello [friend], and welcome to our city.',
  });
  const accepted = await Promise.all(
    Array.from({ length: jobCount }, (_, index) =>
      client.accepted('/videos/generate', request(String(index))),
    ),
  );
  const ids = accepted.map(({ id }) => String(id));
  const areOver = async () => {
    const jobs = await Promise.all([batch, ...ids].map((id) => client.job(id)));
    return jobs.every((job) => job.status === 'completed');
  };
  // On a busy machine all the kills would otherwise come before there is anything to lose.
  await Promise.all([batch, ...ids].map((id) => client.until(id, (job) => job.status === 'in_progress')));
  let killed = 0;
  while (killed < kills && !(await areOver())) {
    await sleep(randomInt(...pauseMs));
    // One that has not begun yet would be spared the work that it is to lose.
    const workers = stack.pollingWorkers();
    const victim = workers[randomInt(Math.max(1, workers.length))];
    if (victim === undefined) continue;
    process.kill(victim.pid, 'SIGKILL');
    await victim.exited;
    killed += 1;
    await stack.startWorker();
  }
  expect(killed).toBeGreaterThan(1);

  for (const id of ids) {
    await client.completed(id);
    const { bytes } = await client.call(`/jobs/${id}/download`);
    expect((await lookAtVideo(bytes, join(stack.dataDir, `${id}.mp4`))).decodingErrors).toBe('');
  }
  const videos = await stack.db.selectFrom('videos').select('job_id').execute();
  expect(videos.map((video) => video.job_id).toSorted()).toEqual(ids.toSorted());
  const ended = await client.completed(batch);
  expect(ended.result).toMatchObject({ delivered: names.length, failed: 0 });
  expect(ended.credits).toEqual({ quoted: names.length, charged: names.length });
  const archive = join(stack.dataDir, 'videos.zip');
  await writeFile(archive, (await client.call(`/jobs/${batch}/download`)).bytes);
  const [report, ...files] = await readArchive(archive);
  expect(report?.name).toBe('report.csv');
  expect(files.map(({ name }) => name)).toEqual(
    names.map((name, index) => `${String(index + 2).padStart(4, '0')}-${name.toLowerCase()}.mp4`),
  );
  for (const { name, bytes } of files) {
    expect((await lookAtVideo(bytes, join(stack.dataDir, name))).decodingErrors).toBe('');
  }
  const captures = await stack.db
    .selectFrom('credit_transactions')
    .select('item')
    .where('job_id', '=', batch)
    .where('kind', '=', 'capture')
    .execute();
  expect(captures.map(({ item }) => Number(item)).sort()).toEqual(names.map((_name, index) => index));

  const recipients = names.map((_name, index) => `${batch}-${index}`);
  const attempts = await Promise.all([...ids, batch, ...recipients].map((id) => stack.attempts(id)));
  expect(Math.max(...attempts.flatMap((made) => [...made.values()].flat()))).toBeGreaterThan(1);
  await expectInvariants(stack);
});
