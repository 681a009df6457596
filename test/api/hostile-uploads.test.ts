import { createServer, type Server } from 'node:http';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readConfig } from '../../config.js';
import { measured } from '../support/measured.js';
import { createTestFolder } from '../support/services.js';
import { blankPng, interlacedPng, lyingJpeg, lyingWebp } from './picture-bombs.js';
import { startApi, type Json, type TestApi } from './support.js';
import { leftovers, makeMedia, send, testPicture, testTone, upload } from './uploads.js';

let api: TestApi;
let token: string;
let folder: string;
let canary: Server;
let canaryUrl = '';
let canaryCalls = 0;
let before: Json;
const secret = 'canary-in-a-file';

beforeAll(async () => {
  const maxBytes = { ...readConfig({}).intake.maxBytes, image: 2_000_000 };
  api = await startApi({ intake: { maxBytes } });
  token = (await api.register()).token;
  folder = (await createTestFolder('hostile')).path;
  await writeFile(join(folder, 'canary.txt'), secret);
  canary = createServer((_request, response) => {
    canaryCalls += 1;
    response.end(secret);
  });
  await new Promise<void>((resolve) => void canary.listen(0, '127.0.0.1', resolve));
  const address = canary.address();
  canaryUrl = `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}/x.ts`;
  before = await leftovers(api);
}, 180_000);
afterAll(async () => {
  canary.close();
  await api.stop();
});

const text = (content: string) => () => Promise.resolve(Buffer.from(content));
const made = (name: string, args: string[]) => () => makeMedia(folder, name, args);
const cut = (name: string, args: string[], part: number) => async () => {
  const whole = await makeMedia(folder, name, args);
  return whole.subarray(0, Math.floor(whole.length * part));
};
const canaryFile = () => `file://${join(folder, 'canary.txt')}`;
const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast'];

it.each<[name: string, kind: string, status: number, code: string, file: () => Promise<Buffer>]>([
  [
    'an HLS playlist',
    'video',
    415,
    'unsupported_media',
    () => text(`#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n${canaryUrl}\n#EXTINF:1,\n${canaryFile()}\n`)(),
  ],
  [
    'a DASH manifest',
    'video',
    415,
    'unsupported_media',
    () =>
      text(
        `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><BaseURL>${canaryUrl}</BaseURL></Period></MPD>`,
      )(),
  ],
  [
    'an ffconcat list',
    'video',
    415,
    'unsupported_media',
    () => text(`ffconcat version 1.0\nfile ${canaryUrl}\n`)(),
  ],
  [
    'a subfile address',
    'video',
    415,
    'unsupported_media',
    () => text(`subfile,,start,0,end,9,,:${join(folder, 'canary.txt')}`)(),
  ],
  ['a data address', 'video', 415, 'unsupported_media', text('data:video/mp4;base64,AAAA')],
  [
    'an SVG',
    'video',
    415,
    'unsupported_media',
    () => text(`<svg xmlns="http://www.w3.org/2000/svg"><image href="${canaryUrl}"/></svg>`)(),
  ],
  [
    'an SVG as a picture',
    'image',
    415,
    'unsupported_media',
    () => text(`<svg xmlns="http://www.w3.org/2000/svg"><image href="${canaryUrl}"/></svg>`)(),
  ],
  ['nothing at all', 'video', 415, 'unsupported_media', text('')],
  ['a page', 'image', 415, 'unsupported_media', text('<!doctype html><script>alert(1)</script>')],
  [
    'MagicYUV in Matroska',
    'video',
    415,
    'unsupported_media',
    made('m.mkv', [...testPicture, '-c:v', 'magicyuv']),
  ],
  ['a picture as a video', 'video', 415, 'unsupported_media', () => Promise.resolve(blankPng(100))],
  ['sound as a video', 'video', 415, 'unsupported_media', made('s.mp4', testTone)],
  ['a silent video as music', 'music', 415, 'unsupported_media', made('v.mp4', [...testPicture, ...x264])],
  ['a PNG of 16000²', 'image', 413, 'media_too_large', () => Promise.resolve(blankPng(16_000))],
  ['an interlaced PNG of 7000²', 'image', 413, 'media_too_large', () => interlacedPng(7_000)],
  ['a progressive JPEG of 7000²', 'image', 413, 'media_too_large', () => lyingJpeg(7_000)],
  ['a WebP of 7000²', 'image', 413, 'media_too_large', () => lyingWebp(7_000)],
  [
    'ten hours in 470 KB',
    'video',
    422,
    'media_too_long',
    made('long.mp4', ['-f', 'lavfi', '-i', 'color=s=16x16:r=1:d=36000', ...x264]),
  ],
  [
    '64 streams',
    'video',
    422,
    'damaged_media',
    made('many.mp4', [
      ...testPicture,
      ...testTone,
      ...x264,
      '-map',
      '0',
      ...Array.from({ length: 63 }, () => ['-map', '1']).flat(),
    ]),
  ],
  ['an MP4 without its end', 'video', 422, 'damaged_media', cut('a.mp4', [...testPicture, ...x264], 0.6)],
  [
    'an MP4 with its index but not its end',
    'video',
    422,
    'damaged_media',
    cut('b.mp4', [...testPicture, ...x264, '-movflags', '+faststart'], 0.6),
  ],
  ['a Matroska without its end', 'video', 422, 'damaged_media', cut('c.mkv', [...testPicture, ...x264], 0.6)],
  ['a WAV without its end', 'music', 422, 'damaged_media', cut('d.wav', testTone, 0.6)],
  [
    'a PNG without its end',
    'image',
    422,
    'damaged_media',
    cut('e.png', [...testPicture, '-frames:v', '1'], 0.6),
  ],
  [
    'a JPEG without its end',
    'image',
    422,
    'damaged_media',
    cut('f.jpg', [...testPicture, '-frames:v', '1'], 0.6),
  ],
  [
    'zeros for recipients',
    'recipients',
    415,
    'unsupported_media',
    () => Promise.resolve(Buffer.alloc(5_000)),
  ],
  ['a file over the limit', 'image', 413, 'media_too_large', () => Promise.resolve(Buffer.alloc(2_100_000))],
])('refuses %s (%s)', async (_name, kind, status, code, file) => {
  const bytes = await file();
  const { result, ms, growth } = await measured(() =>
    upload(api, token, bytes, { kind, fileName: 'x.mp4', type: 'video/mp4' }),
  );
  expect([result.status, result.json.code]).toEqual([status, code]);
  expect(result.text).not.toContain(secret);
  expect(ms).toBeLessThan(5_000);
  expect(growth).toBeLessThan(150e6);
  expect(canaryCalls).toBe(0);
  expect(await leftovers(api)).toEqual(before);
});

function form(fileName: string, content = 'x', headers = ''): string {
  const disposition = `Content-Disposition: form-data; name="file"; ${fileName}`;
  return [
    '--b\r\nContent-Disposition: form-data; name="kind"\r\n\r\nrecipients\r\n',
    `--b\r\n${disposition}\r\n${headers}\r\n${content}\r\n--b--\r\n`,
  ].join('');
}

it.each([
  ['a path', 'filename="../../x"'],
  ['a path of Windows', 'filename="..\\\\..\\\\x"'],
  ['an option', 'filename="-y.mp4"'],
  ['line breaks', "filename*=UTF-8''a%0D%0AX-Evil:%201.mp4"],
  ['text that is turned around', `filename="${Buffer.from('gpj.\u202emp4').toString('latin1')}"`],
  ['4 KB', `filename="${'x'.repeat(4_096)}.mp4"`],
  ['nothing', 'filename=""'],
  ['a NUL', "filename*=UTF-8''a%00b"],
])('refuses a file whose name is %s', async (_what, fileName) => {
  const answer = await send(api, token, Buffer.from(form(fileName), 'latin1'), {
    'content-type': 'multipart/form-data; boundary=b',
  });
  expect([answer.status, answer.json.code, answer.json.errors?.[0]?.path]).toEqual([
    422,
    'validation_failed',
    'body.file',
  ]);
  expect(await leftovers(api)).toEqual(before);
});

it('bounds a body that does not say how long it is', async () => {
  const endless = (head: string, filler: Buffer) =>
    new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(Buffer.from(head)),
      pull: (controller) => controller.enqueue(filler),
    });
  const headers = { 'content-type': 'multipart/form-data; boundary=b' };
  const kind = '--b\r\nContent-Disposition: form-data; name="kind"\r\n\r\nimage\r\n';
  const file = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n';
  const { result, growth } = await measured(() =>
    send(api, token, endless(kind + file, Buffer.alloc(65_536, 1)), headers).catch(() => undefined),
  );
  // The connection may be cut before the answer is read.
  if (result !== undefined) expect([result.status, result.json.code]).toEqual([413, 'media_too_large']);
  expect(growth).toBeLessThan(150e6);
  await expect.poll(() => leftovers(api), { timeout: 5_000 }).toEqual(before);
});

it('takes names of all scripts, and tables in UTF-16', async () => {
  const table = Buffer.from('\ufeffname\nعمر\n', 'utf16le');
  const sent = await upload(api, token, table, { kind: 'recipients', fileName: 'قائمة.csv' });
  expect(sent.json).toMatchObject({ fileName: 'قائمة.csv', contentType: 'text/csv' });
  const file = await fetch(`${api.url}${sent.json.url}`, { headers: { authorization: `Bearer ${token}` } });
  expect(file.headers.get('content-disposition')).toMatch(/^attachment; /);
});
