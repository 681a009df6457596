import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fontFiles } from '../../activities/media/fonts.js';
import { cleanText } from '../../activities/media/text/clean-text.js';
import { directionOf, mainDirection } from '../../activities/media/text/direction.js';
import { covers, readCoverage } from '../../activities/media/text/font-coverage.js';
import { createFontSet } from '../../activities/media/text/font-set.js';
import { breakablePieces } from '../../activities/media/text/line-breaks.js';
import { setParagraph } from '../../activities/media/text/paragraph.js';
import { shapeLine } from '../../activities/media/text/shape.js';
import { openTypeface } from '../../activities/media/text/typeface.js';

/** The program's own fonts only, so that the host's do not change what is tested. */
const fonts = createFontSet(fontFiles(), []);
const style = { family: 'Inter', weight: 500, size: 100 };
const shaped = (text: string, direction: 'ltr' | 'rtl' = 'ltr', language = 'en') =>
  shapeLine(fonts, text, style, direction, language);
const glyphsOf = (text: string, direction: 'ltr' | 'rtl' = 'ltr') =>
  shaped(text, direction).glyphs.map(({ glyph }) => glyph);

describe('the fonts that come along', () => {
  it('are there, and are what they are called', () => {
    for (const { path, family } of fontFiles()) {
      expect(existsSync(path), path).toBe(true);
      const file = readFileSync(path).toString('latin1');
      const utf16 = Array.from(family)
        .map((letter) => `\0${letter}`)
        .join('');
      expect(file.includes(family) || file.includes(utf16), `${path} is ${family}`).toBe(true);
    }
  });

  it('tell the code points they cover as HarfBuzz does', async () => {
    for (const stem of ['Inter_400Regular', 'NotoSansDevanagari_400Regular', 'NotoEmoji_400Regular']) {
      const path = fontFiles().find((file) => file.path.includes(stem))?.path ?? '';
      const coverage = await readCoverage(path);
      const typeface = openTypeface(path);
      if (coverage === undefined) throw new Error('no coverage');
      for (const codePoint of [0x20, 0x41, 0xe9, 0x3a9, 0x416, 0x915, 0x94d, 0x1f600, 0x4e00, 0xe000]) {
        expect(covers(coverage, codePoint), `${stem} ${codePoint.toString(16)}`).toBe(
          typeface.covers(codePoint),
        );
      }
    }
  });

  it('draw every script that is promised, and say which characters they cannot draw', () => {
    const texts = [
      'Žluťoučký kůň · Việt Nam · Łódź',
      'Съешь ещё этих · Ἐν ἀρχῇ ἦν ὁ λόγος',
      'क्षत्रिय विद्यार्थी श्रृंखला',
      'بسم الله الرحمن',
      'שָׁלוֹם עולם',
      'বাংলা தமிழ் ภาษาไทย',
      '😀 👩‍👩‍👧 ❤️ ✅ ★ → ∑ ≥ € ₹ “…”',
    ];
    for (const text of texts) {
      expect(fonts.missing([text]), text).toEqual([]);
      expect(glyphsOf(text), text).not.toContain(0);
    }
    expect(fonts.missing(['日本 and 中文'])).toEqual(['日', '本', '中', '文']);
  });
});

describe('shaping', () => {
  it('forms Devanagari conjuncts and moves the vowel sign before its consonant', () => {
    const naive = Array.from('क्ष').flatMap((letter) => glyphsOf(letter));
    expect(naive.length).toBeGreaterThanOrEqual(3);
    expect(glyphsOf('क्ष')).toHaveLength(1);
    expect(naive).not.toContain(glyphsOf('क्ष')[0]);
    const line = shaped('कि');
    const sign = line.glyphs[0];
    expect(sign?.glyph, 'the sign, written second, stands first').not.toBe(glyphsOf('क')[0]);
    expect(line.glyphs.at(-1)?.glyph).toBe(glyphsOf('क')[0]);
  });

  it('joins Arabic letters and sets them from the right', () => {
    const alone = Array.from('بيت').flatMap((letter) => glyphsOf(letter, 'rtl'));
    const joined = glyphsOf('بيت', 'rtl');
    expect(joined).not.toEqual(alone);
    expect(joined).not.toEqual([...alone].reverse());
    const withTail = glyphsOf('بيتا', 'rtl');
    expect(withTail.at(-1), 'the first letter stands last').toBe(joined.at(-1));
  });

  it('orders mixed directions by the bidirectional algorithm', () => {
    const order = (text: string, direction: 'ltr' | 'rtl') => glyphsOf(text, direction);
    const [alef, bet] = Array.from('אב').flatMap((letter) => glyphsOf(letter, 'rtl'));
    const [a] = glyphsOf('a');
    // Digits are set in the font of the word that they follow.
    const [one, two] = Array.from('12').map((digit) =>
      glyphsOf(`א${digit}`, 'rtl').find((glyph) => glyph !== alef),
    );
    const visible = (glyphs: number[]) => glyphs.filter((glyph) => [alef, bet, a, one, two].includes(glyph));
    expect(visible(order('a אב 12', 'ltr'))).toEqual([a, one, two, bet, alef]);
    expect(visible(order('אב 12 a', 'rtl'))).toEqual([a, one, two, bet, alef]);
  });

  it('draws a family of emoji as one picture and keeps ordinary spaces beside it', () => {
    expect(glyphsOf('👩‍👩‍👧')).toHaveLength(1);
    const gap = shaped('😀 😀').width - 2 * shaped('😀').width;
    expect(gap).toBeLessThan(style.size * 0.5);
  });

  it('measures what it draws', () => {
    const line = shaped('Hamburg');
    const heavier = shapeLine(fonts, 'Hamburg', { ...style, weight: 800 }, 'ltr', 'en');
    expect(heavier.width).toBeGreaterThan(line.width * 1.03);
    expect(shapeLine(fonts, 'Hamburg', { ...style, size: 50 }, 'ltr', 'en').width).toBeCloseTo(
      line.width / 2,
      6,
    );
    const tracked = shapeLine(fonts, 'Hamburg', { ...style, tracking: 0.1 }, 'ltr', 'en');
    expect(tracked.width - line.width).toBeCloseTo(6 * 0.1 * style.size, 6);
  });
});

describe('paragraphs', () => {
  const set = (text: string, maxWidth: number, maxLines = 9, language = 'en') =>
    setParagraph(fonts, text, {
      style,
      direction: directionOf(text),
      language,
      maxWidth,
      maxLines,
      lineHeight: 1.2,
      evenness: 'tight',
    });

  it('stay within their width, whatever the text', () => {
    const texts = [
      'Pneumonoultramicroscopicsilicovolcanoconiosis',
      'a'.repeat(300),
      'क्षत्रिय'.repeat(20),
      'بسم'.repeat(40),
      '😀'.repeat(60),
      'One two three four five six seven eight nine ten',
      'https://example.org/a/very/long/path/that/never/ends?query=yes&more=1',
    ];
    for (const text of texts) {
      const { lines, width, height } = set(text, 640, 3);
      expect(width, text).toBeLessThanOrEqual(640);
      expect(lines.length).toBeLessThanOrEqual(3);
      const bottom = lines.at(-1);
      expect(height).toBeCloseTo((bottom?.baseline ?? 0) + (bottom?.shaped.ink?.bottom ?? 0), 6);
      for (const { shaped: line } of lines) expect(line.ink?.right ?? 0).toBeLessThanOrEqual(640);
    }
  });

  it('keep no single word for the last line', () => {
    const { lines } = set('The deeper the source, the hotter the story', 1800);
    const [first, second] = lines.map(({ shaped: line }) => line.width);
    expect(lines).toHaveLength(2);
    expect(Math.min(first ?? 0, second ?? 0) / Math.max(first ?? 0, second ?? 0)).toBeGreaterThan(0.7);
  });

  it('end in an ellipsis when something is cut, and say so', () => {
    const cut = set('One two three four five six seven eight nine ten', 640, 1);
    const [ellipsis] = glyphsOf('…');
    expect(cut.shortened).toBe(true);
    expect(cut.lines.at(-1)?.shaped.glyphs.at(-1)?.glyph).toBe(ellipsis);
    expect(set('One two', 640, 1).shortened).toBe(false);
  });

  it('never let the ink of two lines touch', () => {
    const { lines } = set('Ã́̂̃ g̣̈ ḫ̣ '.repeat(8), 500);
    for (const [i, { shaped: line, baseline }] of lines.entries()) {
      const above = lines[i - 1];
      if (above === undefined) continue;
      expect(baseline + (line.ink?.top ?? 0)).toBeGreaterThan(
        above.baseline + (above.shaped.ink?.bottom ?? 0),
      );
    }
  });

  it('break where the script allows it', () => {
    const joins = [
      'A well-known fact: “quoted” text, 3.5 % more.',
      '今日は、良い天気です。',
      'ภาษาไทยง่ายมาก',
      '',
    ];
    for (const text of joins) expect(breakablePieces(text, 'en').join('')).toBe(text);
    expect(breakablePieces('well-known fact', 'en')).toEqual(['well-', 'known ', 'fact']);
    expect(breakablePieces('今日は、良い', 'ja').every((piece) => !piece.startsWith('、'))).toBe(true);
    expect(breakablePieces('今日は良い天気です', 'ja').length).toBeGreaterThan(2);
    expect(breakablePieces('ภาษาไทยง่ายมาก', 'th').length).toBeGreaterThan(2);
    expect(breakablePieces('10\u00A0km', 'not a language!')).toHaveLength(1);
  });
});

describe('text of a user', () => {
  it('keeps everything that can be seen and loses what cannot', () => {
    expect(cleanText(' a\r\n\tb\u0000\u0007\u202Ec\u2066 \uFEFF')).toBe('a bc');
    expect(cleanText("{\\an8} ',drawtext= %{} <script>&amp;")).toBe("{\\an8} ',drawtext= %{} <script>&amp;");
    expect(cleanText('a\uD800b')).toBe('a\uFFFDb');
    expect(cleanText('👩‍👩‍👧 क्‍ष')).toBe('👩‍👩‍👧 क्‍ष');
  });

  it('has the direction of its letters', () => {
    expect(directionOf('12 שלום abc')).toBe('rtl');
    expect(directionOf('(a) שלום')).toBe('ltr');
    expect(directionOf('123', 'rtl')).toBe('rtl');
    expect(mainDirection(['Wi-Fi', 'شبكة لاسلكية سريعة'])).toBe('rtl');
  });
});
