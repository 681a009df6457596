import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { viewAt } from '../../activities/media/compositor/motion.js';
import { fontFiles } from '../../activities/media/fonts.js';
import type {
  DrawnOverlay,
  DrawnPicture,
  PictureRequest,
} from '../../activities/media/pictures/picture-provider.js';
import { createSlidesProvider } from '../../activities/media/pictures/slides.js';
import { themeDesigns } from '../../activities/media/pictures/themes/theme-designs.js';
import { createFontSet } from '../../activities/media/text/font-set.js';
import type { Scene } from '../../workflows/contract/documents.js';
import { aspectRatios, themes } from '../../workflows/contract/options.js';

const slides = createSlidesProvider(createFontSet(fontFiles(), []));
const never = new AbortController().signal;
/** Half size: quick, and everything is laid out in parts of the frame. */
const frames = { '16:9': [960, 540], '9:16': [540, 960], '1:1': [540, 540] } as const;

const usual = {
  heading: 'Pressure builds beneath the crust',
  bullets: [
    'Magma is lighter than the rock around it',
    'Gas expands as it rises',
    'Cracks open when pressure wins',
  ],
};

function request(scene: Partial<Scene> = {}, other: Partial<PictureRequest> = {}): PictureRequest {
  const aspectRatio = other.aspectRatio ?? '16:9';
  const [width, height] = frames[aspectRatio];
  return {
    scene: { number: 2, narration: '', imagePrompt: '', imageArtifact: null, ...usual, ...scene },
    sceneCount: 8,
    title: null,
    language: 'en',
    theme: 'midnight',
    aspectRatio,
    width,
    height,
    motion: 'kenburns',
    captionsBurned: true,
    imagePath: null,
    ...other,
  };
}

const draw = (scene?: Partial<Scene>, other?: Partial<PictureRequest>) =>
  slides.draw(request(scene, other), never);

interface Ink {
  left: number;
  top: number;
  right: number;
  bottom: number;
  /** Sum of alpha, in whole pixels. */
  amount: number;
}

/** White at 8.5 %, as red, green, blue and alpha. */
const glass = 0xffffff16;

/** Where an overlay leaves marks on the frame, from its pixels. */
async function inkOf(overlay: DrawnOverlay): Promise<Ink> {
  const { data, info } = await sharp(overlay.bytes).raw().toBuffer({ resolveWithObject: true });
  expect([info.width, info.height, info.channels]).toEqual([overlay.width, overlay.height, 4]);
  const ink: Ink = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity, amount: 0 };
  for (let i = 3; i < data.length; i += 4) {
    const alpha = data[i] ?? 0;
    if (alpha < 16) continue;
    const x = overlay.x + (((i - 3) / 4) % info.width);
    const y = overlay.y + Math.floor((i - 3) / 4 / info.width);
    ink.left = Math.min(ink.left, x);
    ink.right = Math.max(ink.right, x + 1);
    ink.top = Math.min(ink.top, y);
    ink.bottom = Math.max(ink.bottom, y + 1);
    ink.amount += alpha / 255;
  }
  return ink;
}

const digest = ({ background, overlays }: DrawnPicture) =>
  [background, ...overlays].map(({ bytes }) => createHash('sha256').update(bytes).digest('hex'));

const scripts: Record<string, { scene: Partial<Scene>; language: string }> = {
  english: { scene: {}, language: 'en' },
  arabic: {
    scene: {
      heading: 'كيف يعمل البركان',
      bullets: ['الصهارة أخف من الصخور', 'يتمدد الغاز (CO2) كلما ارتفع'],
    },
    language: 'ar',
  },
  hindi: {
    scene: { heading: 'ज्वालामुखी कैसे काम करता है', bullets: ['मैग्मा हल्का होता है', 'दबाव बढ़ने पर दरारें खुलती हैं'] },
    language: 'hi',
  },
  overlong: {
    scene: {
      heading: 'An extraordinarily long heading which goes on and on '.repeat(9),
      bullets: Array.from({ length: 12 }, () => 'A wordy statement that wraps over several lines '.repeat(8)),
    },
    language: 'en',
  },
  unbroken: {
    scene: { heading: 'W'.repeat(500), bullets: ['क्षत्रिय'.repeat(90), '😀'.repeat(200), 'بسم'.repeat(200)] },
    language: 'en',
  },
};

describe.each(aspectRatios)('a %s slide', (aspectRatio) => {
  it.each(Object.keys(scripts))(
    'keeps its text inside the safe area and off the captions: %s',
    async (name) => {
      const { scene = {}, language = 'en' } = scripts[name] ?? {};
      const [width, height] = frames[aspectRatio];
      const isEveryTheme = name === 'english' || name === 'overlong';
      for (const theme of isEveryTheme ? themes : (['aurora'] as const)) {
        const picture = await draw(scene, { aspectRatio, theme, language });
        let above = 0;
        for (const overlay of picture.overlays) {
          expect([overlay.x % 2, overlay.y % 2, overlay.width % 2, overlay.height % 2]).toEqual([0, 0, 0, 0]);
          const ink = await inkOf(overlay);
          expect(ink.amount).toBeGreaterThan(20);
          expect(ink.left).toBeGreaterThanOrEqual(width * 0.055);
          expect(ink.right).toBeLessThanOrEqual(width * 0.945);
          expect(ink.top).toBeGreaterThanOrEqual(height * 0.08);
          expect(ink.bottom).toBeLessThanOrEqual(height * 0.8);
          expect(ink.top, 'overlays stand below one another').toBeGreaterThanOrEqual(above - 1);
          above = ink.bottom;
        }
        expect(picture.overlays.length).toBeGreaterThan(1);
      }
    },
  );

  it('fills the frame with an opaque background of its proportions, and more where it will move', async () => {
    const [width, height] = frames[aspectRatio];
    const moving = (await draw({}, { aspectRatio })).background;
    const still = (await draw({}, { aspectRatio, motion: 'none' })).background;
    expect([still.width, still.height]).toEqual([width, height]);
    expect(moving.width / width).toBeGreaterThan(1.07);
    expect(Math.abs(moving.width / moving.height - width / height)).toBeLessThan(0.005);
    const { channels, width: pixels } = await sharp(moving.bytes).metadata();
    expect([channels, pixels]).toEqual([3, moving.width]);
  });
});

describe('contrast', () => {
  it.each(themes)(
    'of every text of %s is at least 4.5:1, wherever the background has moved',
    async (theme) => {
      const { palette } = themeDesigns[theme];
      const views = [0, 90, 180, 270].map((angle) => viewAt({ kind: 'kenburns', seed: angle * 2 }, 1));
      for (const aspectRatio of aspectRatios) {
        for (const number of [2, 3, 4, 5]) {
          const picture = await draw({ number }, { theme, aspectRatio });
          const [width, height] = frames[aspectRatio];
          const background = await sharp(picture.background.bytes)
            .raw()
            .toBuffer({ resolveWithObject: true });
          for (const [n, overlay] of picture.overlays.entries()) {
            const inks = n === 0 ? [palette.heading, palette.quiet] : [palette.body];
            const { data } = await sharp(overlay.bytes).raw().toBuffer({ resolveWithObject: true });
            for (const ink of inks.map(hexLuminance)) {
              let worst = Infinity;
              for (let i = 4; i < data.length; i += 4 * 5) {
                const x = (overlay.x + ((i / 4) % overlay.width)) / width;
                const y = (overlay.y + Math.floor(i / 4 / overlay.width)) / height;
                // What text stands on: nothing, or the even white of a glass card; all else is text.
                const isBare = data[i + 3] === 0;
                const isGlass = data.readUInt32BE(i) === glass && data.readUInt32BE(i - 4) === glass;
                if (!isBare && !isGlass) continue;
                const alpha = (data[i + 3] ?? 0) / 255;
                for (const view of views) {
                  const column = Math.floor((view.left + x * view.size) * background.info.width);
                  const row = Math.floor((view.top + y * view.size) * background.info.height);
                  const at = (row * background.info.width + column) * 3;
                  const mixed = [0, 1, 2].map(
                    (c) => (background.data[at + c] ?? 0) * (1 - alpha) + (data[i + c] ?? 0) * alpha,
                  );
                  worst = Math.min(worst, contrast(ink, luminance(mixed)));
                }
              }
              expect(worst, `${aspectRatio}, scene ${number}, overlay ${n}`).toBeGreaterThan(4.5);
            }
          }
        }
      }
    },
  );
});

describe('slides', () => {
  it('are the same bytes for the same request, and differ by theme and scene', async () => {
    expect(digest(await draw())).toEqual(digest(await draw()));
    const backgrounds = await Promise.all([
      ...themes.map((theme) => draw({}, { theme })),
      ...[3, 4, 5].map((number) => draw({ number })),
    ]);
    expect(new Set(backgrounds.map((picture) => digest(picture)[0])).size).toBe(6);
  });

  it('are mirrored for scripts that run from right to left', async () => {
    const arabic = scripts['arabic'];
    const [left, right] = [await draw(), await draw(arabic?.scene, { language: 'ar' })];
    const starts = await Promise.all(left.overlays.map(inkOf));
    const mirrored = await Promise.all(right.overlays.map(inkOf));
    for (const ink of starts) expect(ink.left).toBeLessThan(960 * 0.08);
    for (const ink of mirrored) expect(ink.right).toBeGreaterThan(960 * 0.92);
    const [dark, bright] = await Promise.all([halves(left), halves(right)]);
    expect(dark.right, 'the planet is on the right').toBeGreaterThan(dark.left * 1.5);
    expect(bright.left, 'and here on the left').toBeGreaterThan(bright.right * 1.5);
  });

  it('draw what looks like markup or commands letter by letter', async () => {
    const plain = await draw({ bullets: ['bold'] });
    const bare = (await inkOf(bulletOf(plain))).amount;
    for (const text of [
      '<b>bold</b>',
      '{\\an8}bold',
      "',drawtext=bold",
      '%{}bold',
      '&lt;bold',
      '$(touch x)bold',
      '😀bold',
    ]) {
      const ink = await inkOf(bulletOf(await draw({ bullets: [text] })));
      expect(ink.amount, text).toBeGreaterThan(bare * 1.15);
    }
    const broken = await draw({ heading: 'a\nb\u2028c', bullets: ['x\u0000\u202Ey'] });
    expect(digest(broken)).toEqual(digest(await draw({ heading: 'a b c', bullets: ['xy'] })));
  });

  it('bring each bullet in with its word, and the heading from the start', async () => {
    const narration = 'It begins when magma is lighter than rock. Then gas expands. At last the cracks open.';
    const { overlays } = await draw({ narration });
    expect(overlays.map(({ appearAtWord }) => appearAtWord)).toEqual([null, 3, 9, 14]);
  });

  it('give the title a slide of its own kind and use the caption zone when captions stay beside', async () => {
    const title = await draw(
      { number: 1, heading: 'How it works', bullets: [] },
      { title: 'Inside a Volcano' },
    );
    const plain = await draw({ number: 3, heading: 'Inside a Volcano', bullets: [] });
    const [titleInk, plainInk] = await Promise.all(
      [title, plain].map(async ({ overlays: [head] }) => head && inkOf(head)),
    );
    expect(titleInk?.amount ?? 0).toBeGreaterThan((plainInk?.amount ?? Infinity) * 1.1);
    const many = {
      bullets: Array.from({ length: 8 }, (_, i) => `Point ${i + 1} of a slide with a lot to say`),
    };
    const free = await draw(many, { captionsBurned: false });
    const lowest = await inkOf(free.overlays.at(-1) ?? free.overlays[0] ?? bulletOf(free));
    expect(lowest.bottom).toBeGreaterThan(540 * 0.8);
    expect(lowest.bottom).toBeLessThanOrEqual(540 * 0.92);
  });

  it('say which characters no font draws, and that something was cut', async () => {
    expect((await draw({ heading: '日本' })).note).toMatch(/日 本.*CJK font/);
    expect((await draw({ bullets: Array.from({ length: 20 }, () => 'word '.repeat(60)) })).note).toMatch(
      /cut short/,
    );
    expect((await draw()).note).toBeNull();
  });

  it('set even a hostile wall of text in no time', async () => {
    const wall = 'नमस्ते '.repeat(10_000);
    const started = performance.now();
    await draw({
      heading: wall,
      bullets: [wall, 'x'.repeat(65_536), '😀'.repeat(30_000), 'ا'.repeat(50_000)],
    });
    expect(performance.now() - started).toBeLessThan(4_000);
  });
});

function bulletOf({ overlays }: DrawnPicture): DrawnOverlay {
  const bullet = overlays[1];
  if (bullet === undefined) throw new Error('no bullet was drawn');
  return bullet;
}

async function halves({ background }: DrawnPicture): Promise<{ left: number; right: number }> {
  const { width, height } = background;
  const half = Math.floor(width / 2);
  const mean = async (left: number) => {
    const part = sharp(background.bytes).extract({ left, top: 0, width: half, height });
    const { channels } = await sharp(await part.png().toBuffer()).stats();
    return channels.reduce((sum, channel) => sum + channel.mean, 0);
  };
  return { left: await mean(0), right: await mean(width - half) };
}

/** WCAG 2.2: relative luminance of an sRGB colour, and contrast of two. */
function luminance(rgb: number[]): number {
  const [r = 0, g = 0, b = 0] = rgb.map((value) =>
    value <= 10.31475 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function hexLuminance(hex: string): number {
  return luminance([1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)));
}

function contrast(a: number, b: number): number {
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}
