import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { article } from './article.js';
import type { ReadLoad, ReadTimes } from './read-load.js';
import { untilCompleted, type RestClient } from './rest.js';
import { percentile } from './statistics.js';

const run = promisify(execFile);
const generator = fileURLToPath(new URL('./read-load.ts', import.meta.url));

const perSecond = 200;
const tinyJobs = 30;
const warmUpSeconds = 10;

/** Reads of every kind that a page makes, at 200 a second in all, while a video is rendered, of an API that is warm. */
export async function benchReads(client: RestClient, api: string, seconds: number): Promise<ReadTimes> {
  const options = { resolution: '720p', motion: 'none', transition: 'cut', sceneCount: 2 };
  const first = await client.post('/videos/generate', {
    source: article(2, randomUUID().slice(0, 4)),
    ...options,
  });
  const { result } = await untilCompleted(client, first.id);
  const video = `/videos/${result?.videoId ?? ''}`;
  const tiny = Array.from({ length: tinyJobs }, (_, index) =>
    client.post('/stages/content', { source: `# Note ${String(index)}\nOne sentence.` }),
  );
  for (const { id } of await Promise.all(tiny)) await untilCompleted(client, id);

  const reads = (running: string) => [
    { kind: 'GET /jobs', path: '/jobs?limit=20' },
    { kind: 'GET /jobs/{id}, running', path: `/jobs/${running}` },
    { kind: 'GET /jobs/{id}, finished', path: `/jobs/${first.id}` },
    { kind: 'GET /videos', path: '/videos' },
    { kind: 'GET /videos/{id}', path: video },
    { kind: 'GET /videos/{id}/thumbnail', path: `${video}/thumbnail?width=320` },
    {
      kind: 'GET /videos/{id}/stream, 256 KiB',
      path: `${video}/stream`,
      headers: { range: 'bytes=0-262143' },
    },
    { kind: 'GET /users/me', path: '/users/me' },
    { kind: 'GET /assets', path: '/assets' },
    { kind: 'GET /activities', path: '/activities' },
  ];
  const generate = async (running: string, forSeconds: number): Promise<ReadTimes> => {
    const paths = reads(running).map((read) => ({ ...read, path: `/api/v1${read.path}` }));
    const load: ReadLoad = { api, token: client.token, perSecond, seconds: forSeconds, reads: paths };
    const { stdout } = await run(process.execPath, ['--import', 'tsx', generator, JSON.stringify(load)], {
      maxBuffer: 64 * 1024 * 1024,
    });
    return JSON.parse(stdout) as ReadTimes;
  };
  // An API that has just started is still being compiled; one that people use has been up for longer.
  await generate(first.id, warmUpSeconds);
  const rendered = await client.post('/videos/generate', {
    source: article(20, randomUUID().slice(0, 4)),
    ...{ resolution: '1080p', sceneCount: 20, motion: 'kenburns', transition: 'fade' },
  });
  while ((await client.getJob(rendered.id)).status === 'queued');
  const times = await generate(rendered.id, seconds);
  const { status } = await client.getJob(rendered.id);
  if (status !== 'in_progress') process.stdout.write(`the render was ${status} before the reads were over\n`);
  return times;
}

const aimMs = 250;

/** What of the aim was missed; empty when all is well. */
export function readFaults({ ms, failures }: ReadTimes): string[] {
  const p99 = percentile(Object.values(ms).flat(), 0.99);
  return [
    ...(p99 > aimMs ? [`p99 is ${p99.toFixed(0)} ms, more than ${String(aimMs)}`] : []),
    ...Object.entries(failures).map(([what, count]) => `failed: ${what}, ${String(count)} times`),
  ];
}

/** One line a kind and one for all, milliseconds. */
export function readsTable(times: ReadTimes): string {
  const { ms, sentAgain } = times;
  const all = Object.values(ms).flat();
  const line = (kind: string, values: number[]) => {
    const at = (share: number) => percentile(values, share).toFixed(0).padStart(6);
    return `${kind.padEnd(40)}${String(values.length).padStart(6)}${at(0.5)}${at(0.95)}${at(0.99)}${at(1)}`;
  };
  const head = `${'ms'.padEnd(40)}${['reads', 'p50', 'p95', 'p99', 'most'].map((name) => name.padStart(6)).join('')}`;
  return [
    head,
    ...Object.entries(ms).map(([kind, values]) => line(kind, values)),
    `${line('all', all)}   goal p99 ≤ ${String(aimMs)}`,
    `sent again, because their idle connection was just being closed: ${String(sentAgain)}`,
    ...readFaults(times),
  ].join('\n');
}
