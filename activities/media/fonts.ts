import { randomUUID } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** One font that comes with the program. `weight` is the CSS weight, 400 or heavier. */
export interface FontFile {
  path: string;
  family: string;
  weight: number;
}

/**
 * Families that come with the program, in the order in which a missing glyph is looked for. Inter draws Latin,
 * Greek and Cyrillic; the others fill in what it lacks.
 */
const families = [
  family('Inter', 'inter', 'Inter', [400, 500, 600, 700, 800]),
  family('Noto Sans', 'noto-sans', 'NotoSans', [400, 500, 600, 700, 800]),
  family('Noto Sans Devanagari', 'noto-sans-devanagari', 'NotoSansDevanagari', [400, 500, 600, 700, 800]),
  family('Noto Sans Arabic', 'noto-sans-arabic', 'NotoSansArabic', [400, 500, 600, 700, 800]),
  family('Noto Sans Hebrew', 'noto-sans-hebrew', 'NotoSansHebrew', [400, 500, 600, 700, 800]),
  family('Noto Sans Bengali', 'noto-sans-bengali', 'NotoSansBengali', [400, 700]),
  family('Noto Sans Tamil', 'noto-sans-tamil', 'NotoSansTamil', [400, 700]),
  family('Noto Sans Thai', 'noto-sans-thai', 'NotoSansThai', [400, 700]),
  family('Noto Emoji', 'noto-emoji', 'NotoEmoji', [400, 700]),
  family('Noto Sans Symbols', 'noto-sans-symbols', 'NotoSansSymbols', [400, 700]),
  family('Noto Sans Symbols 2', 'noto-sans-symbols-2', 'NotoSansSymbols2', [400]),
  family('Manrope', 'manrope', 'Manrope', [500, 600, 700, 800]),
  family('Source Serif 4', 'source-serif-4', 'SourceSerif4', [400, 500, 600, 700]),
];

const weightNames: Record<number, string> = {
  400: '400Regular',
  500: '500Medium',
  600: '600SemiBold',
  700: '700Bold',
  800: '800ExtraBold',
};

/** Where fonts that the host has installed are looked for. */
export function systemFontDirectories(): string[] {
  const home = homedir();
  return [
    '/usr/share/fonts',
    '/usr/local/share/fonts',
    join(home, '.local', 'share', 'fonts'),
    join(home, '.fonts'),
  ];
}

/** The fonts that come with the program, in fallback order. */
export function fontFiles(): FontFile[] {
  const require = createRequire(import.meta.url);
  return families.flatMap(({ name, packageName, stem, weights }) => {
    const root = dirname(require.resolve(`@expo-google-fonts/${packageName}/package.json`));
    return weights.map((weight) => {
      const style = weightNames[weight] ?? '400Regular';
      return { path: join(root, style, `${stem}_${style}.ttf`), family: name, weight };
    });
  });
}

/** Folders to search for glyphs, the program's own first. */
export function fontDirectories(): string[] {
  return [...new Set([...fontFiles().map((file) => dirname(file.path)), ...systemFontDirectories()])];
}

/**
 * Writes a fontconfig configuration that knows the program's own fonts and the host's, so that libass finds
 * a glyph for every script that some font here covers. Colour and bitmap fonts are left out: libass cannot
 * draw them and would show nothing where the outline emoji would do.
 *
 * @param dir folder for the file and for fontconfig's cache; made when missing.
 * @returns path of `fonts.conf`, for `FONTCONFIG_FILE`.
 */
export async function writeFontconfig(dir: string): Promise<string> {
  const cacheDir = join(dir, 'fontconfig-cache');
  await mkdir(cacheDir, { recursive: true });
  const path = join(dir, 'fonts.conf');
  const draft = join(dir, `fonts-${randomUUID()}.tmp`);
  await writeFile(draft, fontconfigXml(cacheDir));
  await rename(draft, path);
  return path;
}

function fontconfigXml(cacheDir: string): string {
  const fallbacks = [...families.map(({ name }) => name), 'DejaVu Sans'];
  const prefer = families.map(({ name }) => `<family>${escapeXml(name)}</family>`).join('');
  return [
    '<?xml version="1.0"?>',
    '<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">',
    '<fontconfig>',
    ...fontDirectories().map((path) => `  <dir>${escapeXml(path)}</dir>`),
    `  <cachedir>${escapeXml(cacheDir)}</cachedir>`,
    '  <selectfont><rejectfont>',
    '    <pattern><patelt name="color"><bool>true</bool></patelt></pattern>',
    '    <pattern><patelt name="scalable"><bool>false</bool></patelt></pattern>',
    '  </rejectfont></selectfont>',
    `  <alias binding="same"><family>sans-serif</family><prefer>${prefer}</prefer></alias>`,
    '  <match target="pattern">',
    '    <edit name="family" mode="append_last" binding="weak">',
    ...fallbacks.map((name) => `      <string>${escapeXml(name)}</string>`),
    '    </edit>',
    '  </match>',
    '</fontconfig>',
    '',
  ].join('\n');
}

function family(name: string, packageName: string, stem: string, weights: number[]) {
  return { name, packageName, stem, weights };
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
