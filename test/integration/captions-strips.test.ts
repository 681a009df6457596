import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeAss } from '../../activities/media/captions/ass.js';
import { captionLayout } from '../../activities/media/captions/caption-layout.js';
import { drawCaptionStrips } from '../../activities/media/captions/strips.js';
import type { CaptionCue, CaptionStrip } from '../../activities/media/composition.js';
import { runFfmpeg } from '../../activities/media/ffmpeg/run.js';
import { writeFontconfig } from '../../activities/media/fonts.js';
import { captionStyles, type CaptionStyle } from '../../workflows/contract/options.js';

const tools = { ffmpegPath: 'ffmpeg', ffprobePath: 'ffprobe' };
const [width, height, fps, frames] = [640, 360, 30, 75];
let dir: string;
let fontconfigFile: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'callsheet-strips-'));
  fontconfigFile = await writeFontconfig(join(dir, 'fonts'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

function cueOf(words: string[], lines: number[], startSeconds = 0.2): CaptionCue {
  const timed = words.map((text, n) => ({
    text,
    startSeconds: startSeconds + n * 0.3,
    endSeconds: startSeconds + n * 0.3 + 0.24,
  }));
  return { startSeconds, endSeconds: startSeconds + words.length * 0.3, speaker: null, words: timed, lines };
}

const draw = (style: CaptionStyle, cues: CaptionCue[]) =>
  drawCaptionStrips(
    { tools, fontconfigFile, scratchDir: join(dir, 'scratch') },
    { width, height, fps, frames, style, cues },
  );

/** Every frame as libass burns the ASS file into a grey picture. */
async function burn(style: CaptionStyle, cues: CaptionCue[]): Promise<Buffer> {
  const [ass, raw] = [join(dir, 'burn.ass'), join(dir, 'burn.rgb')];
  await writeFile(ass, writeAss({ style, layout: captionLayout(width, height), cues }));
  const source = `color=c=0x808080:s=${width}x${height}:r=${fps}:d=${frames / fps},format=rgba`;
  const output = ['-vf', `ass=${ass}`, '-f', 'rawvideo', '-pix_fmt', 'rgba', '-y', raw];
  await runFfmpeg(tools, {
    args: ['-f', 'lavfi', '-i', source, ...output],
    timeoutMs: 60_000,
    env: { FONTCONFIG_FILE: fontconfigFile },
  });
  return readFile(raw);
}

/** One frame of grey with the strips that show on it laid over. */
function compose(strips: CaptionStrip[], frame: number): Buffer {
  const picture = Buffer.alloc(width * height * 4, 0x80);
  for (let at = 3; at < picture.length; at += 4) picture[at] = 255;
  for (const strip of strips) {
    const show = strip.shows.find((s) => frame >= s.firstFrame && frame < s.firstFrame + s.frames);
    if (!show) continue;
    for (let n = 0; n < strip.width * strip.height; n += 1) {
      const [x, y] = [strip.x + (n % strip.width), strip.y + Math.floor(n / strip.width)];
      const isMarked = show.areas.some((a) => x >= a.left && x < a.right && y >= a.top && y < a.bottom);
      const source = (isMarked ? strip.marked : undefined) ?? strip.rgba;
      const to = (y * width + x) * 4;
      const alpha = (source[n * 4 + 3] ?? 0) / 255;
      for (let c = 0; c < 3; c += 1) {
        picture[to + c] = Math.round((picture[to + c] ?? 0) * (1 - alpha) + (source[n * 4 + c] ?? 0) * alpha);
      }
    }
  }
  return picture;
}

/** Share of pixels that differ by more than what rounding explains. */
function difference(a: Buffer, b: Buffer): number {
  let off = 0;
  for (let at = 0; at < a.length; at += 4) {
    if ([0, 1, 2].some((c) => Math.abs((a[at + c] ?? 0) - (b[at + c] ?? 0)) > 6)) off += 1;
  }
  return off / (width * height);
}

describe('drawCaptionStrips', () => {
  it.each(captionStyles)('shows what libass burns in (%s)', async (style) => {
    const cues = [
      cueOf(['Every', 'morning', 'the', 'सूर्य'], [2, 2]),
      cueOf(['שלום', 'עולם', 'again'], [3], 1.5),
    ];
    const [strips, burned] = [await draw(style, cues), await burn(style, cues)];
    // Away from the moments at which a fill moves on; the fill itself goes in steps. In `classic` libass draws
    // the words behind a marked one a fraction of a pixel aside, which the strips do not.
    const tolerance = { karaoke: 0.004, classic: 0.0015, boxed: 0.0002 }[style];
    for (const frame of [0, 5, 6, 10, 16, 22, 31, 40, 44, 45, 50, 60, 70, 74]) {
      const expected = burned.subarray(frame * width * height * 4, (frame + 1) * width * height * 4);
      expect(difference(compose(strips, frame), expected), `frame ${frame}`).toBeLessThan(tolerance);
    }
    const shown = compose(strips, 10);
    expect(difference(shown, compose([], 10))).toBeGreaterThan(0.005);
  });

  it('marks the word that is said and no other', async () => {
    const cue = cueOf(['one', 'two', 'three'], [3]);
    const [strip] = await draw('classic', [cue]);
    const marks = strip?.shows.flatMap((show) => show.areas) ?? [];
    expect(marks).toHaveLength(3);
    for (const [n, { left, right }] of marks.entries()) {
      expect(right - left).toBeGreaterThan(15);
      expect(right).toBeLessThanOrEqual(marks[n + 1]?.left ?? width);
    }
    const coloured = (rgba: Buffer | undefined) => {
      let count = 0;
      for (let at = 0; rgba && at < rgba.length; at += 4) {
        if (rgba[at + 3] === 255 && (rgba[at] ?? 0) - (rgba[at + 2] ?? 0) > 100) count += 1;
      }
      return count;
    };
    expect(coloured(strip?.rgba)).toBe(0);
    expect(coloured(strip?.marked)).toBeGreaterThan(100);
  });

  it('changes on the frame on which a word begins and keeps strips small, even and apart', async () => {
    const cue = cueOf(['one', 'two', 'three'], [3]);
    const strips = await draw('classic', [cue]);
    const shows = strips.flatMap((strip) => strip.shows);
    const starts = shows.map((show) => show.firstFrame);
    for (const word of cue.words) expect(starts).toContain(Math.ceil(word.startSeconds * fps - 1e-6));
    for (const [n, { firstFrame, frames: count, areas }] of shows.entries()) {
      expect(firstFrame + count).toBeLessThanOrEqual(shows[n + 1]?.firstFrame ?? frames);
      for (const area of areas) expect(Object.values(area).map((value) => value % 2)).toEqual([0, 0, 0, 0]);
    }
    for (const strip of strips) {
      expect([strip.x % 2, strip.y % 2, strip.width % 2, strip.height % 2]).toEqual([0, 0, 0, 0]);
      expect(strip.rgba).toHaveLength(strip.width * strip.height * 4);
      expect(strip.height).toBeLessThan(60);
    }
  });

  it('draws markup of the user as the letters that it is', async () => {
    const widthOf = async (text: string) => (await draw('classic', [cueOf([text], [1])]))[0]?.width ?? 0;
    const plain = await widthOf('an8');
    const literal = await widthOf('{\\an8}');
    expect(literal).toBeGreaterThan(plain + 15);
    expect(await widthOf('a\\Nb')).toBeGreaterThan((await widthOf('aNb')) + 3);
    const [strip] = await draw('classic', [cueOf(['{\\an8}\\N{\\pos(0,0)}'], [1])]);
    expect(strip?.y).toBeGreaterThan(height / 2);
    expect(strip?.height).toBeLessThan(60);
  });

  it('takes cues that begin before the unit or end after it', async () => {
    const cue = cueOf(
      ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'],
      [5, 5],
      -0.5,
    );
    const strips = await draw('boxed', [cue]);
    const shows = strips.flatMap((strip) => strip.shows);
    expect(shows[0]?.firstFrame).toBe(0);
    expect((shows.at(-1)?.firstFrame ?? 0) + (shows.at(-1)?.frames ?? 0)).toBeLessThanOrEqual(frames);
    expect(await draw('boxed', [])).toEqual([]);
  });
});
