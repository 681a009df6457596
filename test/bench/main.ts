/**
 * The figures of the README, measured on this machine as ratios within one run.
 * Run: `npm run bench`, or `npm run bench -- media|scale|ledger|upload|jobs|reads|alignment|batch|batch-media` for a part.
 */
import { alignmentTable, benchAlignment } from './alignment.js';
import { benchBatch } from './batch.js';
import { batchMediaTable, benchBatchMedia } from './batch-media.js';
import { benchLedger, ledgerTable } from './ledger.js';
import { benchMedia, mediaTable } from './media.js';
import { watchDescendants } from './process-memory.js';
import { benchReads, readFaults, readsTable } from './reads.js';
import { createRestClient } from './rest.js';
import { benchScale, scaleTable } from './scale.js';
import { withBenchStack } from './stack.js';
import { median } from './statistics.js';
import { benchTinyJobs } from './tiny-jobs.js';
import { benchUpload, isFlat, uploadTable } from './upload.js';
import { benchWholeJobs } from './whole-jobs.js';

const pairs = 3;
const parts = process.argv.slice(2);
const wants = (part: string) => parts.length === 0 || parts.includes(part);

if (wants('media')) {
  process.stdout.write(`media work, ten scenes of about six seconds, 1080p30, ${String(pairs)} pairs\n`);
  process.stdout.write(`${mediaTable(await benchMedia(pairs, 10))}\n\n`);
}
if (wants('scale')) {
  process.stdout.write('media work of ten and of a hundred scenes, 720p30\n');
  process.stdout.write(`${scaleTable(await benchScale([10, 100]))}\n\n`);
}
if (wants('ledger')) {
  process.stdout.write('a million random operations on the ledger\n');
  const figures = await benchLedger(1_000_000);
  process.stdout.write(`${ledgerTable(figures)}\n\n`);
  if (figures.faults.length > 0) process.exitCode = 1;
}
if (wants('upload')) {
  // `upload 1` sends one gigabyte.
  const gigabytes = Number(parts[parts.indexOf('upload') + 1] ?? 5) || 5;
  process.stdout.write('one large file through the form of a stack of its own\n');
  const figures = await benchUpload(gigabytes);
  process.stdout.write(`${uploadTable(figures)}\n\n`);
  if (!isFlat(figures)) process.exitCode = 1;
}
if (wants('alignment')) {
  process.stdout.write('word borders found by forced alignment, embedded voice\n');
  process.stdout.write(`${alignmentTable(await benchAlignment())}\n\n`);
}
if (wants('batch')) {
  // `batch 1000` tries fewer.
  const most = Number(parts[parts.indexOf('batch') + 1] ?? 10_000) || 10_000;
  process.stdout.write('batches of tiny recipients on the real engine and records\n');
  if (!(await benchBatch([Math.min(1_000, most), most]))) process.exitCode = 1;
}
if (wants('batch-media')) {
  const recipients = Number(parts[parts.indexOf('batch-media') + 1] ?? 50) || 50;
  process.stdout.write('recipients of a base of 60 s at 1080p\n');
  process.stdout.write(`${batchMediaTable(await benchBatchMedia(recipients))}\n\n`);
}
if (wants('jobs')) {
  process.stdout.write('whole jobs on a stack of their own\n');
  await withBenchStack(async ({ api, databaseUrl }) => {
    const memory = watchDescendants();
    const client = await createRestClient(api);
    const jobs = await benchWholeJobs(client, databaseUrl, pairs);
    const tiny = await benchTinyJobs(client);
    const peaks = [...memory.stop()].sort(([, a], [, b]) => b - a).slice(0, 4);

    const { cold, direct, unchanged, edited } = jobs;
    const each = (values: number[]) => values.map((value) => value.toFixed(1)).join('  ');
    const overhead = median(cold.map((value, index) => value - (direct[index] ?? NaN)));
    const rows: [string, string][] = [
      ['whole job, wall s', each(cold)],
      ['the same work called directly, wall s', each(direct)],
      ['orchestration adds', `${overhead.toFixed(2)} s   goal ≤ 10 % or 2 s, whichever is more`],
      ['unchanged again, wall s', `${each(unchanged)}   goal ≤ 2`],
      ['one of ten scenes edited, wall s', each(edited)],
      [
        'edit / whole',
        `${median(edited.map((value, index) => value / (cold[index] ?? NaN))).toFixed(3)}   goal ≤ 0.20`,
      ],
      ['tiny jobs a minute', tiny.jobsPerMinute.toFixed(0)],
      [
        'GET /jobs/{id} meanwhile, ms',
        `p50 ${tiny.readP50Ms.toFixed(0)}  p99 ${tiny.readP99Ms.toFixed(0)}  (${String(tiny.reads)} reads)`,
      ],
      ...peaks.map(([name, bytes]): [string, string] => [
        `peak memory of ${name}`,
        `${(bytes / 1024 ** 2).toFixed(0)} MB   goal ≤ 700 MB`,
      ]),
    ];
    process.stdout.write(`${rows.map(([name, value]) => `${name.padEnd(46)}${value}`).join('\n')}\n`);
  });
}
if (wants('reads')) {
  // `reads 5` takes five seconds.
  const seconds = Number(parts[parts.indexOf('reads') + 1] ?? 30) || 30;
  process.stdout.write(`200 mixed reads a second for ${String(seconds)} s while a video is rendered\n`);
  await withBenchStack(async ({ api }) => {
    const times = await benchReads(await createRestClient(api), api, seconds);
    process.stdout.write(`${readsTable(times)}\n`);
    if (readFaults(times).length > 0) process.exitCode = 1;
  });
}
// Idle connections must not keep a finished measurement alive.
process.exit();
