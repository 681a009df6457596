import { once } from 'node:events';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createS3Storage } from '../../storage/s3.js';
import { blankPng, lyingJpeg } from './picture-bombs.js';
import { startApi, type Answer, type TestApi } from './support.js';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const mine = '/api/v1/users/me/avatar';

interface Part {
  name: string;
  content: Buffer | string;
  fileName?: string;
}

function multipart(...parts: Part[]): FormData {
  const form = new FormData();
  for (const { name, content, fileName } of parts) {
    if (typeof content === 'string') form.append(name, content);
    else form.append(name, new Blob([new Uint8Array(content)]), fileName ?? 'picture');
  }
  return form;
}

async function put(token: string, body: FormData | string, headers = {}, target = api): Promise<Answer> {
  const response = await fetch(`${target.url}${mine}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, ...headers },
    body,
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: JSON.parse(text) };
}

const putImage = (token: string, content: Buffer, target = api) =>
  put(token, multipart({ name: 'image', content }), {}, target);

async function download(path: string, token: string, headers = {}) {
  const response = await fetch(`${api.url}${path}`, {
    headers: { authorization: `Bearer ${token}`, ...headers },
  });
  return {
    status: response.status,
    headers: response.headers,
    bytes: Buffer.from(await response.arrayBuffer()),
  };
}

/** 1200 × 800 with a colour in each half of its height, turned by its camera, with a place and a name in it. */
async function photograph(): Promise<Buffer> {
  const upper = await sharp({ create: { width: 1200, height: 400, channels: 3, background: '#d02020' } })
    .png()
    .toBuffer();
  return sharp({ create: { width: 1200, height: 800, channels: 3, background: '#2020d0' } })
    .composite([{ input: upper, top: 0, left: 0 }])
    .withExif({
      IFD0: { Artist: 'Ada Secretname' },
      IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '51/1 30/1 0/1' },
    })
    .withMetadata({ orientation: 6 })
    .withIccProfile('p3', { attach: true })
    .jpeg({ quality: 92 })
    .toBuffer();
}

describe('an avatar', () => {
  it('is what the camera saw, square, small and without metadata', async () => {
    const { id, token } = await api.register();
    const picture = await photograph();
    const told = await sharp(picture).metadata();
    expect([told.orientation, told.exif?.toString('latin1')]).toEqual([
      6,
      expect.stringContaining('Secretname'),
    ]);
    const answer = await putImage(token, picture);
    expect([answer.status, answer.json.avatarUrl]).toEqual([200, `/api/v1/users/${id}/avatar`]);

    const shown = await download(answer.json.avatarUrl, token);
    expect(shown.headers.get('content-type')).toBe('image/webp');
    const { width, height, format, exif, icc, xmp, iptc, orientation } = await sharp(shown.bytes).metadata();
    expect({ width, height, format, exif, icc, xmp, iptc, orientation }).toEqual({
      width: 512,
      height: 512,
      format: 'webp',
      exif: undefined,
      icc: undefined,
      xmp: undefined,
      iptc: undefined,
      orientation: undefined,
    });
    expect(shown.bytes.toString('latin1')).not.toContain('Secretname');
    // Orientation 6: the upper half of what is stored is the right half of what was seen.
    const { data, info } = await sharp(shown.bytes).raw().toBuffer({ resolveWithObject: true });
    const reddish = (x: number, y: number) => {
      const at = (y * 512 + x) * info.channels;
      return (data[at] ?? 0) > 2 * (data[at + 2] ?? 0);
    };
    expect([reddish(20, 20), reddish(20, 490), reddish(490, 20), reddish(490, 490)]).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });

  it('is shown to whoever is logged in, and asked for again only when it changed', async () => {
    const owner = await api.register();
    const other = await api.register();
    const path = `/api/v1/users/${owner.id}/avatar`;
    const none = await api.call(path, { token: other.token });
    const nobody = await api.call(`/api/v1/users/${crypto.randomUUID()}/avatar`, { token: other.token });
    expect([none.status, nobody.status]).toEqual([404, 404]);
    const strip = ({ json }: Answer) => ({ ...json, timestamp: '', requestId: '' });
    expect(strip(none)).toEqual(strip(nobody));
    expect((await api.call('/api/v1/users/me', { token: owner.token })).json.avatarUrl).toBeNull();

    await putImage(owner.token, await photograph());
    const first = await download(path, other.token);
    expect([first.status, first.headers.get('cache-control')]).toEqual([200, 'private, no-cache']);
    const etag = String(first.headers.get('etag'));
    expect((await download(path, other.token, { 'if-none-match': etag })).status).toBe(304);
    await putImage(
      owner.token,
      await sharp(await photograph())
        .negate()
        .jpeg()
        .toBuffer(),
    );
    const second = await download(path, other.token, { 'if-none-match': etag });
    expect(second.status).toBe(200);
    expect(second.bytes.equals(first.bytes)).toBe(false);
    expect((await api.call(path)).status).toBe(401);

    expect((await api.call(mine, { method: 'DELETE', token: owner.token })).status).toBe(204);
    expect((await api.call(path, { token: other.token })).status).toBe(404);
    expect((await api.call(mine, { method: 'DELETE', token: owner.token })).status).toBe(204);
  });

  it('may be a PNG with alpha, a moving GIF or WebP, a grey or a 16-bit picture', async () => {
    const { token } = await api.register();
    const frame = (background: string) =>
      sharp({ create: { width: 90, height: 60, channels: 4, background } })
        .png()
        .toBuffer();
    const frames = [await frame('#20d020'), await frame('#d02020')];
    const pictures = [
      await sharp({ create: { width: 40, height: 700, channels: 4, background: '#20d02000' } })
        .png()
        .toBuffer(),
      await sharp(frames, { join: { animated: true } })
        .gif()
        .toBuffer(),
      await sharp(frames, { join: { animated: true } })
        .webp()
        .toBuffer(),
      await sharp({ create: { width: 300, height: 300, channels: 3, background: '#20d020' } })
        .toColourspace('rgb16')
        .png()
        .toBuffer(),
      await sharp({ create: { width: 300, height: 300, channels: 3, background: '#808080' } })
        .greyscale()
        .jpeg()
        .toBuffer(),
      await sharp({ create: { width: 300, height: 300, channels: 3, background: '#208020' } })
        .toColourspace('cmyk')
        .jpeg()
        .toBuffer(),
    ];
    for (const picture of pictures) {
      const answer = await putImage(token, picture);
      expect(answer.status, answer.text).toBe(200);
      const shown = await download(answer.json.avatarUrl, token);
      const { width, height, pages } = await sharp(shown.bytes).metadata();
      expect([width, height, pages]).toEqual([512, 512, undefined]);
    }
  });

  it('is stored once for all who have the same', async () => {
    const [one, two] = [await api.register(), await api.register()];
    const picture = await photograph();
    await Promise.all([putImage(one.token, picture), putImage(two.token, picture)]);
    const rows = await api.db
      .selectFrom('users')
      .innerJoin('artifacts', 'artifacts.id', 'users.avatar_artifact')
      .select(['artifacts.id', 'artifacts.bytes', 'artifacts.content_type'])
      .where('users.id', 'in', [one.id, two.id])
      .execute();
    expect(rows).toHaveLength(2);
    expect(rows[0]).toEqual(rows[1]);
    const stored = await api.storage.head(`artifacts/${rows[0]?.id ?? ''}`);
    expect(stored?.bytes).toBe(Number(rows[0]?.bytes));
  });
});

describe('what is no avatar', () => {
  let token: string;
  let id: string;
  beforeAll(async () => {
    ({ token, id } = await api.register());
  });
  const assertNothingKept = async () => {
    const row = await api.db
      .selectFrom('users')
      .select('avatar_artifact')
      .where('id', '=', id)
      .executeTakeFirst();
    expect(row?.avatar_artifact).toBeNull();
  };

  it('is told from its content, not its name', async () => {
    const red = sharp({ create: { width: 64, height: 64, channels: 3, background: 'red' } });
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><image href="file:///etc/passwd"/></svg>';
    for (const content of [
      Buffer.from(svg),
      Buffer.from(`<?xml version="1.0"?>\n${svg}`),
      await red.clone().tiff().toBuffer(),
      await red.clone().avif().toBuffer(),
      Buffer.from('%PDF-1.4'),
      Buffer.from('#EXTM3U\nfile:///etc/passwd'),
      Buffer.alloc(0),
    ]) {
      const answer = await put(token, multipart({ name: 'image', content, fileName: 'me.png' }));
      expect([answer.status, answer.json.code]).toEqual([415, 'unsupported_media']);
    }
    await assertNothingKept();
  });

  it('is refused by its header when it would be too large, before it is decoded', async () => {
    const bomb = blankPng(16_000);
    expect(bomb.length).toBeLessThan(64 * 1024);
    const lying = blankPng(64);
    lying.writeUInt32BE(60_000, 16);
    lying.writeUInt32BE(60_000, 20);
    lying.writeUInt32BE(crc32(lying.subarray(12, 29)), 29);
    const wideGif = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'red' } })
      .gif()
      .toBuffer();
    wideGif.writeUInt16LE(65_535, 6);
    wideGif.writeUInt16LE(65_535, 8);
    const frame = wideGif.indexOf(Buffer.from([0x2c, 0, 0, 0, 0, 64, 0, 64, 0]));
    wideGif.writeUInt16LE(65_535, frame + 5);
    wideGif.writeUInt16LE(65_535, frame + 7);
    const before = process.memoryUsage().rss;
    for (const content of [bomb, lying, wideGif, await lyingJpeg(5_000), blankPng(15_000, 20), blankPng(8)]) {
      const startedAt = performance.now();
      const answer = await putImage(token, content);
      expect([answer.status, answer.json.code], answer.text).toEqual([422, 'invalid_image']);
      expect(performance.now() - startedAt).toBeLessThan(5_000);
    }
    // Decoded, the first of them alone is 256 MB.
    expect(process.memoryUsage().rss - before).toBeLessThan(150e6);
    await assertNothingKept();
  });

  it('is refused when it is damaged', async () => {
    const jpeg = await photograph();
    const png = await sharp(jpeg).png().toBuffer();
    for (const content of [
      jpeg.subarray(0, jpeg.length / 2),
      png.subarray(0, png.length / 2),
      jpeg.subarray(0, 3),
      Buffer.concat([png.subarray(0, 40), Buffer.alloc(2000, 7)]),
      Buffer.from('RIFF\u0010\0\0\0WEBPVP8 garbage', 'latin1'),
      Buffer.from('GIF89a', 'latin1'),
    ]) {
      const answer = await putImage(token, content);
      expect([answer.status, answer.json.code]).toEqual([422, 'invalid_image']);
    }
    await assertNothingKept();
  });

  it('is refused when it is more than ten megabytes, with or without saying so', async () => {
    const large = Buffer.alloc(10.5 * 1024 * 1024, 1);
    large.set([0xff, 0xd8, 0xff]);
    expect((await putImage(token, large)).json.code).toBe('body_too_large');
    const boundary = 'xxxx';
    const head = `--${boundary}\r\ncontent-disposition: form-data; name="image"; filename="a"\r\n\r\n`;
    const sent = http.request(`${api.url}${mine}`, {
      method: 'PUT',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': `multipart/form-data; boundary=${boundary}`,
      },
    });
    // The rest of what is sent meets a closed connection.
    sent.on('error', () => undefined);
    const answered = once(sent, 'response') as Promise<[http.IncomingMessage]>;
    sent.write(head);
    for (let megabyte = 0; megabyte < 12; megabyte += 1) sent.write(large.subarray(0, 1024 * 1024));
    const [answer] = await answered;
    expect(answer.statusCode).toBe(413);
    answer.destroy();
    await assertNothingKept();
  });

  it('is a body with anything but one picture', async () => {
    const content = await photograph();
    const image = { name: 'image', content };
    const pathsOf = async (...parts: Part[]) => {
      const answer = await put(token, multipart(...parts));
      expect(answer.status).toBe(422);
      return answer.json.errors.map(({ path }: { path: string }) => path);
    };
    expect(await pathsOf()).toEqual(['body.image']);
    expect(await pathsOf({ name: 'avatar', content })).toEqual(['body.avatar']);
    expect(await pathsOf(image, { name: 'userId', content: id })).toEqual(['body.userId']);
    expect(
      await pathsOf({ name: 'storageKey', content: 'x' }, { name: 'role', content: 'admin' }, image),
    ).toEqual(['body.storageKey', 'body.role']);
    expect(await pathsOf(image, image)).toEqual(['body.image']);
    expect(await pathsOf({ name: 'image', content: 'text' })).toEqual(['body.image']);

    const json = await put(token, '{}', { 'content-type': 'application/json' });
    expect([json.status, json.json.code]).toEqual([415, 'unsupported_media_type']);
    for (const [contentType, body] of [
      ['multipart/form-data; boundary=', 'x'],
      ['multipart/form-data; charset=utf-8', 'x'],
      ['multipart/form-data; boundary=b', ''],
      [
        'multipart/form-data; boundary=b',
        '--b\r\ncontent-disposition: form-data; name="image"; filename="a"\r\n\r\nabc',
      ],
    ] as const) {
      const answer = await put(token, body, { 'content-type': contentType });
      expect([contentType, answer.status]).toEqual([contentType, 400]);
    }
    await assertNothingKept();
  });

  it('is one that breaks off', async () => {
    const lines = api.log.length;
    const sent = http.request(`${api.url}${mine}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'multipart/form-data; boundary=b' },
    });
    sent.on('error', () => undefined);
    sent.write('--b\r\ncontent-disposition: form-data; name="image"; filename="a"\r\n\r\nabc');
    await sleep(200);
    sent.destroy();
    await expect
      .poll(
        () =>
          api.log.slice(lines).find(({ action }) => action === 'PUT /api/v1/users/me/avatar')?.info.status,
      )
      .toBe(400);
    expect(api.log.filter(({ level }) => level === 'error')).toEqual([]);
    await assertNothingKept();
  });

  it('is one that cannot be stored now', async () => {
    const storage = createS3Storage({
      endpoint: 'http://127.0.0.1:9',
      region: 'us-east-1',
      bucket: 'none',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      forcePathStyle: true,
    });
    const unstored = await startApi({ db: api.db, storage });
    const answer = await putImage(token, await photograph(), unstored);
    expect([answer.status, answer.json.code]).toEqual([503, 'storage_unavailable']);
    await unstored.stop();
    await assertNothingKept();
  });
});
