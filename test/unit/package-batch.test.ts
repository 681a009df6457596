import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ArtifactStore } from '../../activities/artifacts.js';
import { createPackageBatch } from '../../activities/media/personalize/package-batch.js';
import { reportCsv } from '../../activities/media/personalize/report-csv.js';
import { recipientFileName } from '../../activities/orchestration/recipient-file-name.js';
import type { RecipientRow } from '../../db/recipients.js';
import { createFolderStore } from '../support/folder-store.js';
import { runActivity } from '../support/quiet-environment.js';
import { readArchive } from '../support/read-archive.js';

const run = promisify(execFile);
let dir: string;
let artifacts: ArtifactStore;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'package-'));
  artifacts = await createFolderStore(join(dir, 'artifacts'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const nothing = { message: null, error: null, started_at: null, completed_at: null };

function delivered(position: number, file: string, name = `Person ${position}`): RecipientRow {
  const row_number = position + 2;
  return {
    ...{ job_id: 'job', position, row_number, name, fields: { name }, status: 'completed', ...nothing },
    ...{ file_artifact: file, file_name: recipientFileName({ row_number, name }, file) },
    ...{ duration_seconds: 2, bytes: '1' },
  };
}

function failed(position: number, name: string, detail = 'The words are too long.'): RecipientRow {
  const error = { code: 'words_too_long', detail, step: 'rendering', retryable: false };
  const gone = { file_artifact: null, file_name: null, duration_seconds: null, bytes: null };
  return { ...delivered(position, 'x.mp4', name), ...gone, status: 'failed', error };
}

function pack(recipients: RecipientRow[], store: ArtifactStore = artifacts) {
  const packageBatch = createPackageBatch({
    artifacts: store,
    scratchDir: join(dir, 'scratch'),
    listRecipients: (_job, { from, to }) => Promise.resolve(recipients.slice(from, to)),
  });
  return runActivity(packageBatch, { jobId: 'job', userId: 'user', insertMode: 'gold' });
}

describe('the archive', () => {
  it('has every delivered file as it is and the report, for any program that unpacks', async () => {
    const contents = Array.from({ length: 600 }, (_, position) =>
      Buffer.from(`${'video '.repeat(50)}${position}`),
    );
    const ids = await Promise.all(contents.map((content) => artifacts.publishBytes(content, 'mp4')));
    const recipients = ids.map((id, position) =>
      position % 10 === 7 ? failed(position, `Person ${position}`) : delivered(position, id),
    );
    const packed = await pack(recipients);
    expect(packed).toMatchObject({ delivered: 540, failed: 60, cached: false });
    const path = await artifacts.fetch(packed.archive);
    const { stdout } = await run('unzip', ['-t', path], { maxBuffer: 1 << 24 });
    expect(stdout).toContain('No errors detected');
    const entries = await readArchive(path);
    expect(entries).toHaveLength(541);
    expect(entries.every(({ compressionMethod }) => compressionMethod === 0)).toBe(true);
    expect(entries[0]?.name).toBe('report.csv');
    expect(entries[0]?.bytes).toEqual(await artifacts.readBytes(packed.report));
    expect(entries.slice(1).map(({ bytes }) => bytes)).toEqual(
      contents.filter((_, position) => position % 10 !== 7),
    );
    // The same files make the same archive, and nothing stays behind.
    expect((await pack(recipients)).archive).toBe(packed.archive);
    const left = await Promise.all(
      (await readdir(join(dir, 'scratch'))).map((name) => readdir(join(dir, 'scratch', name))),
    );
    expect(left.flat()).toEqual([]);
  });

  it('takes no more memory for a gigabyte than for a little', async () => {
    const id = await artifacts.publishBytes(Buffer.alloc(32 * 2 ** 20, 1), 'mp4');
    let most = 0;
    const before = process.memoryUsage().rss;
    const timer = setInterval(() => (most = Math.max(most, process.memoryUsage().rss - before)), 20);
    const big: ArtifactStore = {
      ...artifacts,
      publishFile: () => Promise.resolve('archive.zip'),
    };
    try {
      const packed = await pack(
        Array.from({ length: 32 }, (_, position) => delivered(position, id)),
        big,
      );
      expect(packed.bytes).toBeGreaterThan(2 ** 30);
    } finally {
      clearInterval(timer);
    }
    expect(most).toBeLessThan(150 * 2 ** 20);
  });

  it('is not published when a file of it cannot be read', async () => {
    const id = await artifacts.publishBytes(Buffer.from('there'), 'mp4');
    const published: string[] = [];
    const store: ArtifactStore = {
      ...artifacts,
      publishFile: (path, extension) => {
        published.push(path);
        return artifacts.publishFile(path, extension);
      },
    };
    const lost = [delivered(0, id), delivered(1, `${'0'.repeat(64)}.mp4`), delivered(2, id)];
    await expect(pack(lost, store)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(published).toEqual([]);
  });
});

describe('the report', () => {
  const cellsOf = (recipients: RecipientRow[]): string[][] => parse(reportCsv(recipients), { bom: true });

  it.each([
    '=1+1',
    '+1',
    '-1',
    '@SUM(A1)',
    '\t=1',
    '=HYPERLINK("http://x","y")',
    ' =1+1',
    '＝1+1',
    '|cmd',
    '%0',
  ])('keeps %j as text', (name) => {
    const cell = cellsOf([failed(0, name, `${name} is too long`)])[1] ?? [];
    expect(cell[1]?.replace(/^'/, '')).toBe(name);
    for (const value of cell) expect(value.trimStart()).not.toMatch(/^[=+\-@\t\r\n|%＝＋－＠]/);
  });

  it('keeps quotes, commas and every script', () => {
    const names = ['Ada "the first", Countess', 'שלום', 'محمد', '👩‍👩‍👧', 'a'.repeat(4_096)];
    const rows = cellsOf(names.map((name, position) => delivered(position, 'x.mp4', name)));
    expect(rows.slice(1).map(([, name]) => name)).toEqual(names);
    expect(reportCsv([]).codePointAt(0)).toBe(0xfeff);
    expect(rows[1]?.slice(2)).toEqual(['0002-ada-the-first-countess.mp4', 'delivered', '']);
  });
});

describe('the name of a file', () => {
  const nameOf = (name: string, row_number = 7) => recipientFileName({ row_number, name }, 'abc.mp4');

  it.each([
    ['../../x', '0007-x.mp4'],
    ['..', '0007.mp4'],
    ['-y.mp4', '0007-y-mp4.mp4'],
    ['C:\\Windows\\x', '0007-c-windows-x.mp4'],
    ['a\r\nb\0c', '0007-a-b-c.mp4'],
    ['CON', '0007-con.mp4'],
    ['Ada Lovelace', '0007-ada-lovelace.mp4'],
    ['\u202eevil', '0007-evil.mp4'],
    ['שלום', '0007-שלום.mp4'],
    ['👩‍👩‍👧', '0007.mp4'],
    ['Zoe\u0308', '0007-zoë.mp4'],
    ['', '0007.mp4'],
  ])('of %j', (name, wanted) => {
    expect(nameOf(name)).toBe(wanted);
  });

  it('is short, whatever the name, and cuts no character in two', () => {
    for (const name of ['x'.repeat(4_096), '𝒳'.repeat(2_048), `a${'𝒳'.repeat(2_048)}`, 'न्दी'.repeat(1_000)]) {
      const made = nameOf(name, 123_456);
      expect(Buffer.byteLength(made)).toBeLessThanOrEqual(255);
      expect(Buffer.from(made).toString()).toBe(made);
      expect(made).toMatch(/^123456-.*\.mp4$/);
    }
  });

  it('unpacks into the folder that was meant', async () => {
    const hostile = [
      '../../x',
      '-y.mp4',
      'CON',
      '\u202e4pm.exe',
      '/etc/passwd',
      '..\\..\\x',
      'x'.repeat(4_096),
    ];
    const id = await artifacts.publishBytes(Buffer.from('x'), 'mp4');
    const packed = await pack(hostile.map((name, position) => delivered(position, id, name)));
    const target = join(dir, 'unpacked', 'here');
    await mkdir(target, { recursive: true });
    await writeFile(join(dir, 'unpacked', 'x.mp4'), 'before');
    await run('unzip', ['-q', await artifacts.fetch(packed.archive), '-d', target]);
    expect(await readdir(target)).toHaveLength(hostile.length + 1);
    expect(await readdir(join(dir, 'unpacked'))).toEqual(['here', 'x.mp4']);
  });
});
