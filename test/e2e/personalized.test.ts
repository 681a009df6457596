import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import yauzl from 'yauzl';
import { createEspeakVoice } from '../../activities/tts/espeak.js';
import { alignTranscript } from '../../activities/tts/align/align-transcript.js';
import { makeTalkingBase, type TalkingBase } from '../support/talking-base.js';
import { startE2eStack, type E2eStack } from './e2e-stack.js';
import { expectInvariants } from './invariants.js';
import type { Json } from './rest-client.js';

const run = promisify(execFile);
const voice = createEspeakVoice();
const spokenText = 'Hello friend, and welcome to our wonderful city. We are very glad to see you here today.';

let stack: E2eStack;
let base: TalkingBase;

beforeAll(async () => {
  stack = await startE2eStack();
  base = await makeTalkingBase(stack.dataDir, { voice, text: spokenText });
});
afterAll(async () => {
  voice.close();
  await stack.stop();
});

async function form(fields: Record<string, string>, table: string): Promise<FormData> {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  body.append('baseVideo', new Blob([new Uint8Array(await readFile(base.path))]), 'base.mp4');
  body.append('recipients', new Blob([table]), 'people.csv');
  return body;
}

const bracketed =
  'Hello [friend], and welcome to our wonderful city. We are very glad to see you here today.';
const gold = { insertMode: 'gold', transcript: bracketed };

describe('a base video and a table of names', () => {
  it('is checked and quoted first, and nothing is kept of it that is wrong', async () => {
    const { client } = stack;
    const quote = await client.call('/personalized-videos', {
      method: 'POST',
      body: await form({ ...gold, dryRun: 'true' }, 'name,city\nAda,London\nZoë,Paris\n'),
    });
    expect([quote.status, quote.json]).toEqual([
      200,
      {
        dryRun: true,
        recipients: 2,
        columns: ['name', 'city'],
        credits: { quoted: 2, available: expect.any(Number) },
      },
    ]);
    const refused = await client.call('/personalized-videos', {
      method: 'POST',
      body: await form(gold, 'name\nAda\n   \n"a\nb"\n???\n'),
    });
    expect([refused.status, refused.json.code]).toEqual([422, 'invalid_recipients']);
    expect(refused.json.errors).toEqual([
      { path: 'recipients.row 4.name', message: 'has line breaks or control characters' },
      { path: 'recipients.row 5.name', message: 'has nothing that can be said' },
    ]);
    const column = await client.call('/personalized-videos', {
      method: 'POST',
      body: await form({ ...gold, text: 'Dear {title} {name}' }, 'name\nAda\n'),
    });
    expect(column.json.errors).toEqual([{ path: 'body.text', message: 'there is no column "title"' }]);
    expect((await client.call('/jobs')).json.items).toEqual([]);
  });

  it('becomes one video for each name, which is heard where it belongs', async () => {
    const { client } = stack;
    const table =
      'name,note\nAda,=1+1\nMaximilian,@x\n"Zoë, of the very long and winding name that nobody can say in time",-\n';
    const job = (await client.call('/personalized-videos', { method: 'POST', body: await form(gold, table) }))
      .json;
    expect(job).toMatchObject({ type: 'personalized', credits: { quoted: 3, charged: 0 } });
    const done = await client.completed(job.id);
    expect(done).toMatchObject({ overallProgress: 100, result: { delivered: 2, failed: 1 } });
    expect(done.credits).toEqual({ quoted: 3, charged: 2 });

    const { json: list } = await client.call(`/jobs/${job.id}/recipients`);
    expect(list.items.map((one: Json) => [one.row, one.status, one.error?.code ?? null])).toEqual([
      [2, 'completed', null],
      [3, 'completed', null],
      [4, 'failed', 'words_too_long'],
    ]);
    const failed = await client.call(`/jobs/${job.id}/recipients?status=failed`);
    expect(failed.json.items).toHaveLength(1);

    const archive = await client.call(`/jobs/${job.id}/download`);
    expect(archive.headers.get('content-type')).toBe('application/zip');
    const files = await unzip(archive.bytes);
    expect([...files.keys()].sort()).toEqual(['0002-ada.mp4', '0003-maximilian.mp4', 'report.csv']);
    expect(files.get('report.csv')?.toString('utf8')).toMatch(/\r\n4,"Zoë, of .*",,failed,.*words_too_long/);

    for (const [file, said] of [
      [
        '0002-ada.mp4',
        'Hello Ada, and welcome to our wonderful city. We are very glad to see you here today.',
      ],
      [
        '0003-maximilian.mp4',
        'Hello Maximilian, and welcome to our wonderful city. We are very glad to see you here today.',
      ],
    ] as const) {
      const path = join(stack.dataDir, file);
      await writeFile(path, files.get(file) ?? '');
      expect(await pictures(path)).toEqual(await pictures(base.path));
      const { words } = await alignTranscript(
        voice,
        { text: said, language: 'en', wav: await wavOf(path) },
        new AbortController().signal,
      );
      const [, name, next] = words;
      const span = base.timeOf('friend');
      expect(Math.abs((name?.startSeconds ?? 0) - span.startSeconds)).toBeLessThan(0.15);
      expect(next?.startSeconds ?? 0).toBeGreaterThan(span.startSeconds + 0.1);
    }
    const one = await client.call(String(list.items[0].file.url).replace('/api/v1', ''));
    expect(one.bytes.equals(files.get('0002-ada.mp4') ?? Buffer.alloc(0))).toBe(true);
    await expectInvariants(stack);
  });

  it('does just the failed ones again when it is asked to', async () => {
    const { client } = stack;
    const [job] = (await client.call('/jobs?type=personalized')).json.items;
    const again = await client.accepted(`/jobs/${job.id}/retry`, { only: 'failed' });
    expect(again).toMatchObject({ retryOf: job.id, credits: { quoted: 1 } });
    const ended = await client.ended(again.id);
    expect([ended.status, ended.error.code]).toEqual(['failed', 'no_recipient_delivered']);
    expect(ended.credits).toEqual({ quoted: 1, charged: 0 });
    await expectInvariants(stack);
  });
});

describe('a video in another form', () => {
  it('is converted, and waited for where the client asks', async () => {
    const webm = join(stack.dataDir, 'clip.webm');
    await run('ffmpeg', [
      ...['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=s=321x241:r=25:d=1', '-f', 'lavfi', '-i', 'sine=d=1'],
      ...['-c:v', 'libvpx', '-c:a', 'libvorbis', '-pix_fmt', 'yuv420p', webm],
    ]);
    const body = new FormData();
    body.append('preset', 'veryfast');
    body.append('baseVideo', new Blob([new Uint8Array(await readFile(webm))]), 'clip.webm');
    const answer = await stack.client.call('/convert', {
      method: 'POST',
      body,
      headers: { prefer: 'wait=60' },
    });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'video/mp4']);
    const path = join(stack.dataDir, 'converted.mp4');
    await writeFile(path, answer.bytes);
    const { stdout } = await run('ffprobe', [
      ...['-v', 'error', '-show_entries', 'stream=codec_name,width,height', '-of', 'json', path],
    ]);
    expect(JSON.parse(stdout).streams).toMatchObject([
      { codec_name: 'h264', width: 320, height: 240 },
      { codec_name: 'aac' },
    ]);
  });
});

function unzip(bytes: Buffer): Promise<Map<string, Buffer>> {
  return new Promise((resolve, reject) => {
    yauzl.fromBuffer(bytes, { lazyEntries: true }, (error, archive) => {
      if (error !== null) {
        reject(error);
        return;
      }
      const files = new Map<string, Buffer>();
      archive.on('entry', (entry: yauzl.Entry) => {
        archive.openReadStream(entry, (failure, stream) => {
          if (failure !== null) {
            reject(failure);
            return;
          }
          const chunks: Buffer[] = [];
          stream.on('data', (chunk: Buffer) => chunks.push(chunk));
          stream.on('end', () => {
            files.set(entry.fileName, Buffer.concat(chunks));
            archive.readEntry();
          });
        });
      });
      archive.on('end', () => {
        resolve(files);
      });
      archive.on('error', reject);
      archive.readEntry();
    });
  });
}

/** Hashes of the pictures as they are in the file. */
async function pictures(path: string): Promise<string> {
  const { stdout } = await run(
    'ffmpeg',
    ['-v', 'error', '-i', path, '-map', '0:v', '-c', 'copy', '-f', 'streamhash', '-'],
    { maxBuffer: 1 << 26 },
  );
  return stdout;
}

async function wavOf(path: string): Promise<string> {
  const wav = `${path}.wav`;
  await run('ffmpeg', ['-v', 'error', '-y', '-i', path, '-c:a', 'pcm_s16le', '-f', 'wav', wav]);
  return wav;
}
