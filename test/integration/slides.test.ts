import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createArtifactStore } from '../../activities/artifact-store.js';
import { createGenerationCache } from '../../activities/generation-cache.js';
import { writeFontconfig } from '../../activities/media/fonts.js';
import { createDrawPicture } from '../../activities/media/pictures/draw-picture.js';
import { createSlidesProvider } from '../../activities/media/pictures/slides.js';
import { createFontSet } from '../../activities/media/text/font-set.js';
import { createLocalStorage } from '../../storage/local.js';
import type { PictureDocument, Scene, ScriptDocument } from '../../workflows/contract/documents.js';
import type { DrawPictureResult } from '../../workflows/contract/explainer.js';
import type { ExplainerOptions } from '../../workflows/contract/options.js';
import { createQuietEnvironment } from '../support/quiet-environment.js';
import { runProgram } from '../support/run-program.js';
import { createTestDatabase, type TestDatabase } from '../support/services.js';

const options: ExplainerOptions = {
  language: 'en',
  sceneCount: null,
  aspectRatio: '16:9',
  resolution: '720p',
  theme: 'midnight',
  voice: { provider: 'espeak', voiceId: null, speed: 1 },
  captions: { mode: 'burned', style: 'classic' },
  music: null,
  images: { provider: 'slides' },
  transition: 'fade',
  motion: 'none',
  review: null,
};

let database: TestDatabase;
let folder: string;
let artifacts: ReturnType<typeof createArtifactStore>;
let drawPicture: ReturnType<typeof createDrawPicture>;

beforeAll(async () => {
  database = await createTestDatabase();
  folder = await mkdtemp(join(tmpdir(), 'callsheet-slides-'));
  artifacts = createArtifactStore({
    storage: await createLocalStorage(join(folder, 'storage')),
    db: database.db,
    cacheDir: join(folder, 'cache'),
    maxCacheBytes: 1e9,
  });
  drawPicture = createDrawPicture({
    artifacts,
    cache: createGenerationCache({ db: database.db }),
    pictureProviders: { slides: createSlidesProvider(createFontSet()) },
  });
});
afterAll(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

const scene: Scene = {
  number: 1,
  heading: 'Pressure builds',
  narration: 'First the magma rises. Then the gas expands.',
  bullets: ['Magma rises', 'Gas expands'],
  imagePrompt: '',
  imageArtifact: null,
};

async function draw(
  scenes: Partial<Scene>[],
  sceneNumber: number,
  other: Partial<ExplainerOptions> = {},
): Promise<DrawPictureResult & { document: PictureDocument }> {
  const script: ScriptDocument = {
    title: 'Inside a Volcano',
    description: '',
    language: 'en',
    message: null,
    scenes: scenes.map((given, i) => ({ ...scene, number: i + 1, ...given })),
  };
  const environment = createQuietEnvironment();
  const beats: unknown[] = [];
  environment.on('heartbeat', (detail: unknown) => beats.push(detail));
  const result: DrawPictureResult = await environment.run(drawPicture, {
    jobId: randomUUID(),
    userId: randomUUID(),
    script: await artifacts.publishJson(script),
    sceneNumber,
    sceneCount: scenes.length,
    options: { ...options, ...other },
  });
  expect(beats[0]).toMatchObject({ step: 'images', item: sceneNumber - 1 });
  return { ...result, document: await artifacts.readJson<PictureDocument>(result.picture) };
}

describe('drawing a scene', () => {
  it('leaves pictures that can be decoded, of the sizes that the document tells', async () => {
    const { document, cached } = await draw([{}, {}], 2);
    expect(cached).toBe(false);
    expect(await sharp(await artifacts.fetch(document.background)).metadata()).toMatchObject({
      width: 1280,
      height: 720,
      hasAlpha: false,
    });
    expect(document.overlays).toHaveLength(3);
    for (const { artifact, x, y, width, height } of document.overlays) {
      const metadata = await sharp(await artifacts.fetch(artifact)).metadata();
      expect(metadata).toMatchObject({ width, height, hasAlpha: true });
      expect(x + width).toBeLessThanOrEqual(1280);
      expect(y + height).toBeLessThanOrEqual(720 * 0.8);
    }
    expect(document.overlays.map(({ appearAtWord }) => appearAtWord)).toEqual([null, 2, 6]);
  });

  it('is not done again for another job, nor when another scene is edited', async () => {
    const scenes = [{ heading: 'One' }, { heading: 'Two' }, { heading: 'Three' }];
    const first = await draw(scenes, 2);
    const again = await draw([{ heading: 'Edited' }, ...scenes.slice(1)], 2);
    expect([first.cached, again.cached]).toEqual([false, true]);
    expect(again.picture).toBe(first.picture);
    const edited = await draw([{ heading: 'One' }, { heading: 'Two, edited' }, { heading: 'Three' }], 2);
    expect(edited.cached).toBe(false);
    expect(edited.picture).not.toBe(first.picture);
    expect((await draw(scenes, 2, { theme: 'paper' })).document.background).not.toBe(
      first.document.background,
    );
  });

  it('gives its note with the picture, also when it was drawn before', async () => {
    const scenes = [{ bullets: Array.from({ length: 20 }, () => 'word '.repeat(60)) }];
    const first = await draw(scenes, 1);
    const again = await draw(scenes, 1);
    expect([first.cached, again.cached]).toEqual([false, true]);
    expect(first.note).toMatch(/cut short/);
    expect(again.note).toBe(first.note);
    expect((await draw([{ bullets: [] }], 1)).note).toBeNull();
  });

  it('has a size for every aspect and resolution', async () => {
    const sizes = [];
    for (const [aspectRatio, resolution] of [
      ['9:16', '720p'],
      ['1:1', '1080p'],
      ['16:9', '4k'],
    ] as const) {
      const { document } = await draw([{}], 1, { aspectRatio, resolution });
      const { width, height } = await sharp(await artifacts.fetch(document.background)).metadata();
      sizes.push([width, height]);
    }
    expect(sizes).toEqual([
      [720, 1280],
      [1080, 1080],
      [3840, 2160],
    ]);
  });

  it('fails for good when the scene is not there', async () => {
    await expect(draw([{}], 4)).rejects.toMatchObject({ type: 'scene_missing', nonRetryable: true });
  });
});

describe("the user's own picture", () => {
  const publish = async (pixels: Sharp, extension: string) =>
    artifacts.publishBytes(await pixels.toBuffer(), extension);

  it('is turned as the camera held it, fills the frame, and shows', async () => {
    // Red above blue as it is to be seen, stored lying on its side.
    const halves = Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="800"><rect width="300" height="800" fill="#e00000"/><rect x="300" width="300" height="800" fill="#0000e0"/></svg>',
    );
    const image = await publish(sharp(halves).jpeg().withMetadata({ orientation: 6 }), 'jpg');
    const { document } = await draw([{}, { imageArtifact: image }], 2);
    const path = await artifacts.fetch(document.background);
    expect(await sharp(path).metadata()).toMatchObject({ width: 1280, height: 720 });
    const mean = async (top: number) => {
      const part = await sharp(path).extract({ left: 1160, top, width: 100, height: 60 }).png().toBuffer();
      return (await sharp(part).stats()).channels.map((channel) => channel.mean);
    };
    const [above, below] = [await mean(20), await mean(640)];
    expect(above[0] ?? 0).toBeGreaterThan(3 * (above[2] ?? 0));
    expect(below[2] ?? 0).toBeGreaterThan(3 * (below[0] ?? 0));
  });

  it.each(['#ffffff', '#808080', '#000000'])(
    'of plain %s is toned until the text can be read',
    async (colour) => {
      for (const [theme, ink] of [
        ['midnight', 0xd9e1f7],
        ['paper', 0x2b3240],
        ['aurora', 0xf3eeff],
      ] as const) {
        const flat = sharp({ create: { width: 640, height: 480, channels: 3, background: colour } }).png();
        const { document } = await draw([{}, { imageArtifact: await publish(flat, 'png') }], 2, { theme });
        const path = await artifacts.fetch(document.background);
        const behind = await sharp(path)
          .extract({ left: 80, top: 60, width: 640, height: 500 })
          .png()
          .toBuffer();
        const { channels } = await sharp(behind).stats();
        for (const level of [channels.map(({ min }) => min), channels.map(({ max }) => max)]) {
          const levels = [luminance(level), luminance([ink >> 16, (ink >> 8) & 255, ink & 255])].sort(
            (a, b) => a - b,
          );
          expect(((levels[1] ?? 0) + 0.05) / ((levels[0] ?? 0) + 0.05), `${theme} ${colour}`).toBeGreaterThan(
            4.5,
          );
        }
      }
    },
  );

  it('is refused for good when it is not a picture, is damaged, or claims too many pixels', async () => {
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
    const noise = await sharp({
      create: {
        width: 900,
        height: 900,
        channels: 3,
        background: '#123',
        noise: { type: 'gaussian', mean: 120, sigma: 40 },
      },
    })
      .png()
      .toBuffer();
    const bomb = await sharp({
      create: { width: 9000, height: 9000, channels: 3, background: '#fff' },
      limitInputPixels: false,
    })
      .png()
      .toBuffer();
    const gif = Buffer.from('GIF89a\x01\x00\x01\x00\x00\x00\x00;', 'latin1');
    for (const bytes of [
      svg,
      gif,
      Buffer.from('#EXTM3U\nfile:///etc/passwd'),
      Buffer.alloc(0),
      noise.subarray(0, 40_000),
      bomb,
    ]) {
      const imageArtifact = await artifacts.publishBytes(bytes, 'png');
      const started = performance.now();
      await expect(draw([{}, { imageArtifact }], 2)).rejects.toMatchObject({
        type: 'invalid_image',
        nonRetryable: true,
      });
      expect(performance.now() - started).toBeLessThan(5_000);
    }
  });
});

describe('the fontconfig file', () => {
  it("lets libass draw every promised script with the program's own fonts", async () => {
    const fonts = await writeFontconfig(join(folder, 'fonts & more'));
    const texts = ['Žluť', 'Съешь', 'क्षत्रिय', 'بسم', 'שלום', 'বাংলা', 'தமிழ்', 'ไทย', '😀', '★→'];
    const missing = '\u{10FFFD}';
    const ass = [
      '[Script Info]\nScriptType: v4.00+\nPlayResX: 400\nPlayResY: 200\n[V4+ Styles]',
      'Format: Name, Fontname, Fontsize, PrimaryColour, Alignment, Encoding\nStyle: D,Inter,80,&H00FFFFFF,5,1',
      '[Events]\nFormat: Start, End, Style, Text',
      ...[...texts, missing].map(
        (text, i) =>
          `Dialogue: 0:00:${i.toString().padStart(2, '0')}.00,0:00:${(i + 1).toString().padStart(2, '0')}.00,D,${text}`,
      ),
    ].join('\n');
    await writeFile(join(folder, 'scripts.ass'), ass);
    const args = [
      '-nostdin',
      '-v',
      'verbose',
      '-f',
      'lavfi',
      '-i',
      `color=black:s=400x200:r=1:d=${texts.length + 1}`,
      '-vf',
      `ass=${join(folder, 'scripts.ass')}`,
      '-y',
      join(folder, 'frame-%02d.png'),
    ];
    const { stderr } = await runProgram('env', [`FONTCONFIG_FILE=${fonts}`, inject('ffmpegPath'), ...args]);
    for (const [i, text] of texts.entries()) {
      const frame = sharp(join(folder, `frame-${(i + 1).toString().padStart(2, '0')}.png`));
      expect((await frame.greyscale().stats()).channels[0]?.mean ?? 0, text).toBeGreaterThan(1);
    }
    const failed = [...stderr.matchAll(/failed to find any fallback with glyph 0x([0-9A-F]+)/g)];
    expect(failed.map((match) => match[1])).toEqual(['10FFFD']);
    expect(stderr).toMatch(/-> \S*Inter_400Regular/);
  });
});

/** WCAG 2.2, relative luminance. */
function luminance(rgb: number[]): number {
  const [r = 0, g = 0, b = 0] = rgb.map((value) =>
    value <= 10.31475 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
