import type { FontSet } from '../text/font-set.js';
import { movingScale } from '../compositor/motion.js';
import { cleanText } from '../text/clean-text.js';
import { frameGeometry } from './frame-geometry.js';
import type {
  DrawnPicture,
  EncodedPicture,
  PictureProvider,
  PictureRequest,
  PictureSubject,
} from './picture-provider.js';
import { seededRandom } from './random.js';
import { rasterizeBackground, rasterizeMark } from './rasterize.js';
import { type SlideLayout, layOutSlide } from './slide-layout.js';
import { num } from './svg.js';
import { themeDesigns } from './themes/theme-designs.js';
import { toneUserPicture } from './user-picture.js';

/**
 * Typographic slides: drawn artwork of a theme, the heading and one overlay for each bullet. The same request
 * gives the same bytes.
 */
export function createSlidesProvider(fonts: FontSet): PictureProvider {
  return {
    name: 'slides',
    version: 2,
    // A font that the host gets later changes what is drawn, so what is missing now belongs to the key.
    async surroundings(subject) {
      const texts = textsOf(subject);
      await fonts.prepare(texts);
      return { missing: fonts.missing(texts) };
    },
    async draw(request, signal): Promise<DrawnPicture> {
      const { scene, sceneCount, title, language, theme, width, height, captionsBurned } = request;
      const design = themeDesigns[theme];
      const texts = textsOf(request);
      await fonts.prepare(texts);
      const slide = { scene, sceneCount, title, language, width, height, captionsBurned };
      const layout = layOutSlide(fonts, design, slide);
      const background = await drawBackground(request, layout, signal);
      const overlays = [];
      for (const { mark, appearAtWord } of layout.overlays) {
        overlays.push({ ...(await rasterizeMark(mark, request, signal)), appearAtWord });
      }
      return { background, overlays, note: noteOn(fonts.missing(texts), layout.shortened) };
    },
  };
}

function textsOf({ scene, title }: PictureSubject): string[] {
  return [scene.heading, title ?? '', ...scene.bullets].map(cleanText);
}

async function drawBackground(
  request: PictureRequest,
  { direction, bottom }: SlideLayout,
  signal: AbortSignal,
): Promise<EncodedPicture> {
  const { theme, scene, motion } = request;
  const mirrored = direction === 'rtl';
  const reserve = motion === 'none' ? 1 : movingScale;
  const width = Math.round((request.width * reserve) / 2) * 2;
  const height = Math.round((request.height * reserve) / 2) * 2;
  const design = themeDesigns[theme];
  if (request.imagePath !== null) {
    const textBottom = bottom / request.height;
    const canvas = { width, height };
    return toneUserPicture({ ...request, path: request.imagePath, canvas, mirrored, textBottom });
  }
  const { shape } = frameGeometry(request.width, request.height, request.captionsBurned);
  const elements = design.artwork({
    width,
    height,
    unit: Math.min(width, height) / 1080,
    shape,
    sceneNumber: scene.number,
    random: seededRandom(theme, scene.number),
    textBottom: (bottom / request.height) * height,
  });
  const turned = mirrored
    ? `<g transform="translate(${num(width)} 0) scale(-1 1)">${elements}</g>`
    : elements;
  return rasterizeBackground(turned, width, height, signal);
}

function noteOn(missing: readonly string[], shortened: boolean): string | null {
  const notes: string[] = [];
  if (missing.length > 0) {
    const shown = missing.slice(0, 8).join(' ');
    const cjk = missing.some((character) =>
      /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u.test(character),
    );
    const remedy = cjk ? ' Install a CJK font (for example fonts-noto-cjk) where the media workers run.' : '';
    notes.push(`No font here draws ${shown}${missing.length > 8 ? ' …' : ''}.${remedy}`);
  }
  if (shortened) notes.push('Some text was cut short because it does not fit on the slide.');
  return notes.length === 0 ? null : notes.join(' ');
}
