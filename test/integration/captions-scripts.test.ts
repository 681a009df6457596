import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeAss } from '../../activities/media/captions/ass.js';
import { captionLayout } from '../../activities/media/captions/caption-layout.js';
import type { CaptionCue } from '../../activities/media/composition.js';
import { runFfmpeg } from '../../activities/media/ffmpeg/run.js';
import { writeFontconfig } from '../../activities/media/fonts.js';
import type { CaptionStyle } from '../../workflows/contract/options.js';

const tools = { ffmpegPath: 'ffmpeg', ffprobePath: 'ffprobe' };
const [width, height] = [1280, 720];
let dir: string;
let fontconfigFile: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'callsheet-scripts-'));
  fontconfigFile = await writeFontconfig(join(dir, 'fonts'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** One line, half a second a word. */
function cueOf(text: string): CaptionCue {
  const words = text
    .split(' ')
    .map((word, n) => ({ text: word, startSeconds: n / 2, endSeconds: n / 2 + 0.5 }));
  return { startSeconds: 0, endSeconds: words.length / 2, speaker: null, words, lines: [words.length] };
}

type Test = (red: number, green: number, blue: number) => boolean;
const isWhite: Test = (r, g, b) => r > 225 && g > 225 && b > 225;
const isBlue: Test = (r, _g, b) => b > 200 && r < 150;

/** Where pixels of a kind are in the frame at a time, as a player with libass shows the file. */
async function shown(style: CaptionStyle, text: string, seconds: number) {
  const path = join(dir, 'cue.ass');
  await writeFile(path, writeAss({ style, layout: captionLayout(width, height), cues: [cueOf(text)] }));
  const source = `color=c=0x606060:s=${width}x${height}:r=10:d=4`;
  const seek = `ass=${path},trim=start=${seconds},format=rgb24`;
  const { stdout } = await runFfmpeg(tools, {
    args: ['-f', 'lavfi', '-i', source, '-vf', seek, '-frames:v', '1', '-f', 'rawvideo', 'pipe:1'],
    timeoutMs: 60_000,
    env: { FONTCONFIG_FILE: fontconfigFile },
    collectOutput: { maxBytes: width * height * 3 },
  });
  return (test: Test) => {
    const box = { left: width, right: -1, top: height, bottom: -1, count: 0 };
    for (let n = 0; n < width * height; n += 1) {
      if (!test(stdout[3 * n] ?? 0, stdout[3 * n + 1] ?? 0, stdout[3 * n + 2] ?? 0)) continue;
      const [x, y] = [n % width, Math.floor(n / width)];
      box.left = Math.min(box.left, x);
      box.right = Math.max(box.right, x);
      box.top = Math.min(box.top, y);
      box.bottom = Math.max(box.bottom, y);
      box.count += 1;
    }
    return box;
  };
}

const hebrew = 'פעמיים ביום הים עולה';
const arabic = 'مرتين كل يوم يرتفع';
const hindi = 'सूर्य और चन्द्रमा मिलकर';

describe('captions in other scripts', () => {
  it.each([hebrew, arabic])('fill from the right, word by word (%s)', async (text) => {
    const starts: number[] = [];
    for (const seconds of [0.3, 0.8, 1.3]) {
      const find = await shown('karaoke', text, seconds);
      const [filled, waiting] = [find(isBlue), find(isWhite)];
      expect(filled.count).toBeGreaterThan(100);
      expect(waiting.right).toBeLessThan(filled.left);
      starts.push(filled.left);
    }
    expect(starts).toEqual([...starts].sort((a, b) => b - a));
    expect(new Set(starts).size).toBe(3);
  });

  it('fill Devanagari from the left, through a word', async () => {
    const [early, late] = [await shown('karaoke', hindi, 0.1), await shown('karaoke', hindi, 0.4)];
    expect(early(isBlue).right).toBeLessThan(late(isBlue).right - 5);
    expect(late(isBlue).right).toBeLessThan(late(isWhite).right);
  });

  it('draw Arabic about as large as Latin letters', async () => {
    const heightOf = async (text: string) => {
      const { top, bottom } = (await shown('classic', text, 1.9))(isWhite);
      return bottom - top;
    };
    // Alef and h are both the tallest letters of their script without a mark.
    expect((await heightOf('ا ا ا ا')) / (await heightOf('h h h h'))).toBeGreaterThan(0.7);
  });

  it.each([hebrew, arabic, hindi])('put the box around the word that is said (%s)', async (text) => {
    const layout = captionLayout(width, height);
    const find = await shown('boxed', text, 0.3);
    const [box, letters] = [find(isBlue), find(isWhite)];
    const first = text === hindi ? Math.abs(box.left - letters.left) : Math.abs(box.right - letters.right);
    expect(first).toBeLessThan(layout.fontSize / 4);
    expect(box.top).toBeLessThan(letters.top);
    expect(box.bottom - box.top).toBeLessThan(1.7 * layout.fontSize);
  });
});
