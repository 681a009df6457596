import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contentDisposition } from '../../api/content-disposition.js';
import { addVideo, videoBytes, type Gallery } from './gallery.js';
import { startApi, type TestApi } from './support.js';

let api: TestApi;
let token: string;
let userId: string;
let gallery: Gallery;
let stream: string;
let etag: string;

beforeAll(async () => {
  api = await startApi();
  ({ token, id: userId } = await api.register());
  gallery = await addVideo(api, userId);
  stream = `/api/v1/videos/${gallery.videoId}/stream`;
  etag = `"${gallery.artifacts.video.replace('.mp4', '')}"`;
});
afterAll(() => api.stop());

async function get(path: string, headers: Record<string, string> = {}, method = 'GET') {
  const response = await fetch(`${api.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...headers },
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, bytes };
}

describe('a video as a stream', () => {
  it('comes whole, and tells that it can come in parts', async () => {
    const answer = await get(stream);
    expect(answer.status).toBe(200);
    expect(answer.bytes.equals(videoBytes)).toBe(true);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'video/mp4',
      'content-length': '5000',
      'accept-ranges': 'bytes',
      etag,
      'cache-control': 'private, no-cache',
      'x-content-type-options': 'nosniff',
    });
    expect(answer.headers.get('content-disposition')).toMatch(/^inline; /);
    const saved = await get(`${stream}?download=1`);
    expect(saved.headers.get('content-disposition')).toBe(
      `attachment; filename="How tides work.mp4"; filename*=UTF-8''How%20tides%20work.mp4`,
    );
  });

  it.each([
    ['bytes=0-0', 0, 0],
    ['bytes=0-99', 0, 99],
    ['bytes=4990-', 4990, 4999],
    ['bytes=-10', 4990, 4999],
    ['bytes=-9999999', 0, 4999],
    ['bytes=100-9999999', 100, 4999],
  ])('comes in the part %s', async (range, start, end) => {
    const answer = await get(stream, { range });
    expect(answer.status).toBe(206);
    expect(answer.headers.get('content-range')).toBe(`bytes ${start}-${end}/5000`);
    expect(answer.headers.get('content-length')).toBe(String(end - start + 1));
    expect(answer.bytes.equals(videoBytes.subarray(start, end + 1))).toBe(true);
  });

  it.each(['bytes=5-2', 'bytes=-', 'bytes=a-b', 'chapters=1-2', 'bytes=0-1,4-5', 'bytes 0-5'])(
    'ignores %s, which is no range that it knows',
    async (range) => {
      const answer = await get(stream, { range });
      expect([answer.status, answer.bytes.length]).toEqual([200, 5000]);
    },
  );

  it.each(['bytes=5000-', 'bytes=5000-6000', 'bytes=-0'])('refuses %s', async (range) => {
    const answer = await get(stream, { range });
    expect(answer.status).toBe(416);
    expect(answer.headers.get('content-range')).toBe('bytes */5000');
    expect(JSON.parse(answer.bytes.toString()).code).toBe('range_not_satisfiable');
  });

  it('is not sent again to who has it', async () => {
    for (const tags of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const answer = await get(stream, { 'if-none-match': tags });
      expect([tags, answer.status, answer.bytes.length]).toEqual([tags, 304, 0]);
      expect(answer.headers.get('etag')).toBe(etag);
    }
    expect((await get(stream, { 'if-none-match': '"other"' })).status).toBe(200);
  });

  it('goes on with a part only where the file is still the same', async () => {
    expect((await get(stream, { range: 'bytes=0-9', 'if-range': etag })).status).toBe(206);
    for (const tag of ['"other"', `W/${etag}`, 'Sat, 21 Nov 2026 02:00:00 GMT']) {
      expect((await get(stream, { range: 'bytes=0-9', 'if-range': tag })).status).toBe(200);
    }
  });

  it('tells of itself by HEAD', async () => {
    const whole = await get(stream, {}, 'HEAD');
    expect([whole.status, whole.headers.get('content-length'), whole.bytes.length]).toEqual([200, '5000', 0]);
    const part = await get(stream, { range: 'bytes=10-19' }, 'HEAD');
    expect([part.status, part.headers.get('content-length')]).toEqual([206, '10']);
  });
});

describe('the files of a job', () => {
  it('are listed with their addresses, which serve them', async () => {
    const list = await api.call(`/api/v1/jobs/${gallery.jobId}/artifacts`, { token });
    expect(list.json.items).toHaveLength(8);
    const video = list.json.items[0];
    expect(video).toMatchObject({
      id: gallery.artifacts.video,
      kind: 'video',
      name: 'video.mp4',
      contentType: 'video/mp4',
      bytes: 5000,
    });
    const file = await get(video.url, { range: 'bytes=1-2' });
    expect(file.bytes.equals(videoBytes.subarray(1, 3))).toBe(true);
    const download = await get(`/api/v1/jobs/${gallery.jobId}/download`);
    expect(download.bytes.equals(videoBytes)).toBe(true);
    expect(download.headers.get('content-disposition')).toMatch(
      /^attachment; filename="How tides work\.mp4"/,
    );
  });

  it('are not there before the job is done, nor by another name', async () => {
    const queued = await api.call('/api/v1/videos/generate', { token, body: { prompt: 'x' } });
    const download = await api.call(`/api/v1/jobs/${queued.json.id}/download`, { token });
    expect([download.status, download.json.code]).toEqual([409, 'job_not_finished']);
    for (const name of ['../secrets', `${'0'.repeat(64)}.mp4`, 'x'.repeat(300)]) {
      const path = `/api/v1/jobs/${gallery.jobId}/artifacts/${encodeURIComponent(name)}`;
      expect((await api.call(path, { token })).status).toBe(404);
    }
  });

  it('that storage has lost are 404', async () => {
    const lost = await addVideo(api, userId, 'Lost', { thumbnail: false });
    const path = `/api/v1/jobs/${lost.jobId}/artifacts/${lost.artifacts.thumbnail}`;
    expect((await api.call(path, { token })).status).toBe(404);
  });
});

describe('a thumbnail', () => {
  it('comes in the next larger width of a few, made once', async () => {
    const path = `/api/v1/videos/${gallery.videoId}/thumbnail`;
    const original = await get(path);
    expect((await sharp(original.bytes).metadata()).width).toBe(1280);
    const [small, again] = await Promise.all([get(`${path}?width=300`), get(`${path}?width=310`)]);
    const facts = await sharp(small.bytes).metadata();
    expect([facts.format, facts.width, facts.height]).toEqual(['webp', 320, 180]);
    expect(small.headers.get('etag')).toBe(again.headers.get('etag'));
    expect(
      (await get(`${path}?width=320`, { 'if-none-match': small.headers.get('etag') ?? '' })).status,
    ).toBe(304);
    for (const width of ['0', '15', '3841', '1e9', 'wide']) {
      expect((await get(`${path}?width=${width}`)).status).toBe(422);
    }
  });

  it('is the title on a gradient where there is no frame', async () => {
    const title = 'Tides & <waves> — ज्वार और भाटा, for a very long time and beyond';
    const { videoId } = await addVideo(api, userId, title, { thumbnail: false });
    const answer = await get(`/api/v1/videos/${videoId}/thumbnail?width=640`);
    expect(answer.status).toBe(200);
    const facts = await sharp(answer.bytes).metadata();
    expect([facts.format, facts.width, facts.height]).toEqual(['webp', 640, 360]);
    // White letters on a dark ground: it is both, and not one colour.
    const { channels } = await sharp(answer.bytes).greyscale().stats();
    expect(channels[0]?.max).toBeGreaterThan(240);
    expect(channels[0]?.mean).toBeLessThan(110);
  });

  it('is the title also where the frame is none', async () => {
    const { videoId, artifacts } = await addVideo(api, userId, 'Broken', { thumbnail: false });
    const noPicture = Buffer.from('no picture at all');
    await api.storage.putBytes(`artifacts/${artifacts.thumbnail}`, noPicture, 'image/webp');
    const answer = await get(`/api/v1/videos/${videoId}/thumbnail?width=320`);
    expect(answer.status).toBe(200);
    expect((await sharp(answer.bytes).metadata()).width).toBe(320);
  });
});

describe('captions', () => {
  it('come as VTT and SRT', async () => {
    const vtt = await get(`/api/v1/videos/${gallery.videoId}/captions.vtt`);
    expect(vtt.headers.get('content-type')).toBe('text/vtt; charset=utf-8');
    expect(vtt.bytes.toString()).toMatch(/^WEBVTT/);
    const srt = await get(`/api/v1/videos/${gallery.videoId}/captions.srt`);
    expect(srt.bytes.toString()).toContain('00:00:00,000 --> 00:00:01,000');
  });
});

it('gives files names that are harmless in a header', () => {
  const cases: [name: string, part: string][] = [
    ['../../etc/passwd', 'filename="etc-passwd"'],
    ['a\r\nset-cookie: x.mp4', 'filename="aset-cookie- x.mp4"'],
    ['"quoted".mp4', 'filename="quoted-.mp4"'],
    ['ज्वार.mp4', `filename="download.mp4"; filename*=UTF-8''%E0%A4%9C`],
    ['\u202egnp.mp4', 'filename="gnp.mp4"'],
    ['.mp4', 'filename="download.mp4"'],
    ['', 'filename="download"'],
    [`${'x'.repeat(4096)}.mp4`, `filename="${'x'.repeat(100)}.mp4"`],
    ["it's (1).mp4", "filename*=UTF-8''it%27s%20%281%29.mp4"],
  ];
  for (const [name, part] of cases) {
    const header = contentDisposition('attachment', name);
    expect(header).toContain(part);
    expect(header).toMatch(/^attachment; [\x20-\x7e]+$/);
    expect(header.length).toBeLessThan(2_000);
  }
});
