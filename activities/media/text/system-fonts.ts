import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type FaceCoverage, covers, readCoverage } from './font-coverage.js';

/** Enough for a well-stocked desktop; a bound, so that a strange folder cannot hold a job up. */
const maxFiles = 1_500;
const maxDepth = 6;

export interface SystemFont {
  path: string;
  coverage: FaceCoverage;
}

/** The host's outline fonts, those first that suit a slide: upright sans faces of a regular or bold weight. */
export async function findSystemFonts(directories: string[]): Promise<SystemFont[]> {
  const paths: string[] = [];
  for (const directory of directories) await collect(directory, 0, paths);
  paths.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  const fonts: SystemFont[] = [];
  for (const path of paths) {
    const coverage = await readCoverage(path);
    if (coverage !== undefined) fonts.push({ path, coverage });
  }
  return fonts;
}

/** First font that draws the code point; a bold file is preferred for `bold`. */
export function systemFontFor(
  fonts: readonly SystemFont[],
  codePoint: number,
  bold: boolean,
): SystemFont | undefined {
  const able = fonts.filter(({ coverage }) => covers(coverage, codePoint));
  return able.find(({ path }) => /bold|black|heavy|w[6-9]\b/i.test(path) === bold) ?? able[0];
}

function rank(path: string): number {
  const name = path.slice(path.lastIndexOf('/') + 1);
  let points = 0;
  if (/italic|oblique/i.test(name)) points += 16;
  if (/mono|typewriter|fixed/i.test(name)) points += 8;
  if (/serif|mincho|song|ming/i.test(name) && !/sans/i.test(name)) points += 4;
  if (/condensed|narrow/i.test(name)) points += 4;
  if (/thin|light|black|demilight/i.test(name)) points += 2;
  return points;
}

async function collect(directory: string, depth: number, paths: string[]): Promise<void> {
  if (depth > maxDepth) return;
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (paths.length >= maxFiles) return;
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await collect(path, depth + 1, paths);
    else if (/\.(ttf|otf|ttc|otc)$/i.test(entry.name)) paths.push(path);
  }
}
