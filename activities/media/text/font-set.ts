import { type FontFile, fontFiles, systemFontDirectories } from '../fonts.js';
import { type SystemFont, findSystemFonts, systemFontFor } from './system-fonts.js';
import { type Typeface, openTypeface } from './typeface.js';

export interface FontStyle {
  family: string;
  /** CSS weight; the nearest that is there is taken. */
  weight: number;
}

/**
 * Finds a font for every character: the wanted family, then the program's other families, then the host's
 * fonts. Files are opened when first needed and stay open with the process.
 */
export interface FontSet {
  /** Looks for the host's fonts where the program's own do not reach; call it before laying the texts out. */
  prepare(texts: readonly string[]): Promise<void>;
  /** Typeface for one grapheme cluster; `preferred` is taken when it can draw it. */
  pick(cluster: string, style: FontStyle, preferred?: Typeface): Typeface;
  /** Characters of the texts that no font here can draw; each once. */
  missing(texts: readonly string[]): string[];
}

/** Characters that have no glyph of their own: joiners, variation selectors, tags, spaces and marks of direction. */
const invisible = /^[\p{Default_Ignorable_Code_Point}\s]$/u;
const emojiCluster = /\p{Emoji_Presentation}|\uFE0F/u;

export function createFontSet(
  files: readonly FontFile[] = fontFiles(),
  directories: readonly string[] = systemFontDirectories(),
): FontSet {
  const opened = new Map<string, Typeface>();
  const families = [...new Set(files.map(({ family }) => family))];
  let systemFonts: SystemFont[] | undefined;

  function typeface(path: string, faceIndex = 0): Typeface {
    const known = opened.get(path) ?? openTypeface(path, faceIndex);
    opened.set(path, known);
    return known;
  }

  function member(family: string, weight: number): Typeface | undefined {
    const own = files.filter((file) => file.family === family);
    const nearest = own.sort((a, b) => Math.abs(a.weight - weight) - Math.abs(b.weight - weight))[0];
    return nearest === undefined ? undefined : typeface(nearest.path);
  }

  function* candidates(style: FontStyle, emoji: boolean): Generator<Typeface> {
    const order = emoji ? ['Noto Emoji', style.family, ...families] : [style.family, ...families];
    for (const family of new Set(order)) {
      const found = member(family, style.weight);
      if (found !== undefined) yield found;
    }
  }

  function ownFont(codePoints: readonly number[], style: FontStyle, emoji: boolean): Typeface | undefined {
    for (const candidate of candidates(style, emoji)) {
      if (codePoints.every((codePoint) => candidate.covers(codePoint))) return candidate;
    }
    return undefined;
  }

  function hostFont(codePoint: number, weight: number): Typeface | undefined {
    const found = systemFontFor(systemFonts ?? [], codePoint, weight >= 600);
    return found === undefined ? undefined : typeface(found.path, found.coverage.faceIndex);
  }

  const plain: FontStyle = { family: 'Inter', weight: 400 };
  const uncovered = (texts: readonly string[]) =>
    [...new Set(texts.join(''))].filter(
      (character) => !invisible.test(character) && ownFont(visible(character), plain, false) === undefined,
    );

  return {
    async prepare(texts) {
      if (systemFonts !== undefined || uncovered(texts).length === 0) return;
      systemFonts = await findSystemFonts([...directories]);
    },
    pick(cluster, style, preferred) {
      const codePoints = visible(cluster);
      if (preferred !== undefined && codePoints.every((codePoint) => preferred.covers(codePoint))) {
        return preferred;
      }
      const first = codePoints[0];
      const whole = ownFont(codePoints, style, emojiCluster.test(cluster));
      const found =
        whole ??
        (first === undefined
          ? undefined
          : (ownFont([first], style, emojiCluster.test(cluster)) ?? hostFont(first, style.weight)));
      const fallback = found ?? member(style.family, style.weight) ?? member('Inter', style.weight);
      if (fallback === undefined) throw new Error('no fonts to draw with');
      return fallback;
    },
    missing: (texts) =>
      uncovered(texts).filter((character) => hostFont(character.codePointAt(0) ?? 0, 400) === undefined),
  };
}

function visible(cluster: string): number[] {
  return [...cluster].filter((character) => !invisible.test(character)).map((c) => c.codePointAt(0) ?? 0);
}
