import { createRequire } from 'node:module';
import sharp from 'sharp';

const require = createRequire(import.meta.url);

/** Faces that the packages bring, so that the picture is the same on a host without fonts. */
const faces = {
  latin: { family: 'Inter', file: 'inter/600SemiBold/Inter_600SemiBold.ttf' },
  Devanagari: {
    family: 'Noto Sans Devanagari',
    file: 'noto-sans-devanagari/600SemiBold/NotoSansDevanagari_600SemiBold.ttf',
  },
  Arabic: { family: 'Noto Sans Arabic', file: 'noto-sans-arabic/600SemiBold/NotoSansArabic_600SemiBold.ttf' },
  Thai: { family: 'Noto Sans Thai', file: 'noto-sans-thai/600SemiBold/NotoSansThai_600SemiBold.ttf' },
  Tamil: { family: 'Noto Sans Tamil', file: 'noto-sans-tamil/600SemiBold/NotoSansTamil_600SemiBold.ttf' },
  Bengali: {
    family: 'Noto Sans Bengali',
    file: 'noto-sans-bengali/600SemiBold/NotoSansBengali_600SemiBold.ttf',
  },
  Hebrew: { family: 'Noto Sans Hebrew', file: 'noto-sans-hebrew/600SemiBold/NotoSansHebrew_600SemiBold.ttf' },
};

const scriptFaces: [RegExp, (typeof faces)[keyof typeof faces]][] = [
  [/\p{Script=Devanagari}/u, faces.Devanagari],
  [/\p{Script=Arabic}/u, faces.Arabic],
  [/\p{Script=Hebrew}/u, faces.Hebrew],
  [/\p{Script=Thai}/u, faces.Thai],
  [/\p{Script=Tamil}/u, faces.Tamil],
  [/\p{Script=Bengali}/u, faces.Bengali],
];

/** Longer titles are cut: the picture is for a gallery. */
const maxCharacters = 120;

/** The picture of a video that has none: its title on a gradient whose colours follow from it. WebP. */
export async function drawFallback(picture: {
  title: string;
  width: number;
  height: number;
}): Promise<Buffer> {
  const { width, height } = picture;
  const title = /\S/.test(picture.title)
    ? [{ input: await drawTitle(picture), gravity: 'center' as const }]
    : [];
  return sharp(Buffer.from(gradient(picture)))
    .composite(title)
    .resize(width, height, { fit: 'fill' })
    .webp({ quality: 85 })
    .toBuffer();
}

/** White letters on nothing, broken and shaped by Pango, at most as large as the picture's inner part. */
async function drawTitle(picture: { title: string; width: number; height: number }): Promise<Buffer> {
  const face = scriptFaces.find(([script]) => script.test(picture.title))?.[1] ?? faces.latin;
  const characters = [...picture.title.replaceAll(/\s+/g, ' ').trim()];
  const short =
    characters.length > maxCharacters ? `${characters.slice(0, maxCharacters - 1).join('')}…` : picture.title;
  const size = Math.max(8, Math.round(Math.min(picture.width, picture.height) / 10));
  const drawn = await sharp({
    text: {
      text: `<span foreground="white">${escapeMarkup(short)}</span>`,
      font: `${face.family} SemiBold ${size}px`,
      fontfile: require.resolve(`@expo-google-fonts/${face.file}`),
      width: Math.round(picture.width * 0.86),
      align: 'centre',
      wrap: 'word-char',
      rgba: true,
      dpi: 72,
    },
  })
    .png()
    .toBuffer();
  const fit = { width: Math.round(picture.width * 0.9), height: Math.round(picture.height * 0.8) };
  return sharp(drawn)
    .resize({ ...fit, fit: 'inside', withoutEnlargement: true })
    .png()
    .toBuffer();
}

function gradient({ title, width, height }: { title: string; width: number; height: number }): string {
  const seed = [...title].reduce((sum, character) => (sum * 31 + (character.codePointAt(0) ?? 0)) % 1009, 7);
  // From blue to violet: white letters stand well on all of these.
  const hue = 200 + (seed % 90);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
<defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1">
<stop offset="0" stop-color="hsl(${hue}, 60%, 30%)"/><stop offset="1" stop-color="hsl(${hue + 40}, 60%, 13%)"/>
</linearGradient></defs><rect width="100%" height="100%" fill="url(#g)"/></svg>`;
}

/** Pango reads markup; control characters are not allowed in it at all. */
function escapeMarkup(text: string): string {
  return text
    .replaceAll(/\p{Cc}/gu, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}
