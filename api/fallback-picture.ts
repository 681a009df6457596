import { createRequire } from 'node:module';
import { Resvg } from '@resvg/resvg-js';
import sharp from 'sharp';

const require = createRequire(import.meta.url);

/** Faces that the packages bring, tried in this order for each letter; the system's come after them. */
const fontFiles = [
  '@expo-google-fonts/inter/600SemiBold/Inter_600SemiBold.ttf',
  '@expo-google-fonts/noto-sans/600SemiBold/NotoSans_600SemiBold.ttf',
  '@expo-google-fonts/noto-sans-devanagari/600SemiBold/NotoSansDevanagari_600SemiBold.ttf',
  '@expo-google-fonts/noto-sans-arabic/600SemiBold/NotoSansArabic_600SemiBold.ttf',
  '@expo-google-fonts/noto-sans-hebrew/600SemiBold/NotoSansHebrew_600SemiBold.ttf',
];

/**
 * The face of a whole title follows its script: letters that join are shaped within one face only, while a
 * Latin word between them can come from another.
 */
const scriptFaces: [RegExp, string][] = [
  [/\p{Script=Devanagari}/u, 'Noto Sans Devanagari'],
  [/\p{Script=Arabic}/u, 'Noto Sans Arabic'],
  [/\p{Script=Hebrew}/u, 'Noto Sans Hebrew'],
];

/** The picture of a video that has none: its title on a gradient whose colours follow from it. WebP. */
export async function drawFallback(picture: {
  title: string;
  width: number;
  height: number;
}): Promise<Buffer> {
  const rendered = new Resvg(gradientSvg(picture), {
    font: {
      fontFiles: fontFiles.map((file) => require.resolve(file)),
      loadSystemFonts: true,
      defaultFontFamily: 'Inter',
    },
  }).render();
  return sharp(rendered.asPng()).webp({ quality: 85 }).toBuffer();
}

function gradientSvg({ title, width, height }: { title: string; width: number; height: number }): string {
  const size = Math.round(Math.min(width, height) / 10);
  const lines = breakLines(title, Math.max(8, Math.floor((width * 0.84) / (size * 0.56))), 4);
  const face = scriptFaces.find(([script]) => script.test(title))?.[1] ?? 'Inter';
  const seed = [...title].reduce((sum, character) => (sum * 31 + (character.codePointAt(0) ?? 0)) % 1009, 7);
  // From blue to violet: white letters stand well on all of these.
  const hue = 200 + (seed % 90);
  const lineHeight = size * 1.25;
  const top = height / 2 - ((lines.length - 1) * lineHeight) / 2 + size * 0.35;
  const text = lines
    .map(
      (line, index) => `<tspan x="${width / 2}" y="${top + index * lineHeight}">${escapeXml(line)}</tspan>`,
    )
    .join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
<defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1">
<stop offset="0" stop-color="hsl(${hue}, 60%, 30%)"/><stop offset="1" stop-color="hsl(${hue + 40}, 60%, 13%)"/>
</linearGradient></defs>
<rect width="100%" height="100%" fill="url(#g)"/>
<text font-family="${face}" font-weight="600" font-size="${size}" fill="#ffffff" text-anchor="middle">${text}</text>
</svg>`;
}

/** Breaks between words; what does not fit into `maxLines` ends in an ellipsis. */
export function breakLines(text: string, lineLength: number, maxLines: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).flatMap((long) => chunks(long, lineLength))) {
    const last = lines.at(-1);
    if (last !== undefined && [...`${last} ${word}`].length <= lineLength) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else {
      lines.push(word);
    }
  }
  if (lines.length <= maxLines) return lines;
  const kept = lines.slice(0, maxLines);
  const end = [...(kept.pop() ?? '')].slice(0, lineLength - 1).join('');
  return [...kept, `${end}…`];
}

function chunks(word: string, length: number): string[] {
  const characters = [...word];
  if (characters.length <= length) return [word];
  return Array.from({ length: Math.ceil(characters.length / length) }, (_, index) =>
    characters.slice(index * length, (index + 1) * length).join(''),
  );
}

function escapeXml(text: string): string {
  // Control characters are not allowed in XML at all.
  return text
    .replaceAll(/\p{Cc}/gu, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}
