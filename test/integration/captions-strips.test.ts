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
import { captionStyles, type CaptionStyle } from '../../workflows/contract.js';

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
    if (frame < strip.firstFrame || frame >= strip.firstFrame + strip.frames) continue;
    for (let n = 0; n < strip.width * strip.height; n += 1) {
      const to = ((strip.y + Math.floor(n / strip.width)) * width + strip.x + (n % strip.width)) * 4;
      const alpha = (strip.rgba[n * 4 + 3] ?? 0) / 255;
      for (let c = 0; c < 3; c += 1) {
        picture[to + c] = Math.round(
          (picture[to + c] ?? 0) * (1 - alpha) + (strip.rgba[n * 4 + c] ?? 0) * alpha,
        );
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
    // Away from the moments at which a fill moves on; the fill itself goes in steps.
    const tolerance = style === 'karaoke' ? 0.004 : 0.0002;
    for (const frame of [0, 5, 6, 10, 16, 22, 31, 40, 44, 45, 50, 60, 70, 74]) {
      const expected = burned.subarray(frame * width * height * 4, (frame + 1) * width * height * 4);
      expect(difference(compose(strips, frame), expected), `frame ${frame}`).toBeLessThan(tolerance);
    }
    const shown = compose(strips, 10);
    expect(difference(shown, compose([], 10))).toBeGreaterThan(0.005);
  });

  it('changes on the frame on which a word begins and keeps strips small, even and apart', async () => {
    const cue = cueOf(['one', 'two', 'three'], [3]);
    const strips = await draw('classic', [cue]);
    const starts = strips.map((strip) => strip.firstFrame);
    for (const word of cue.words) expect(starts).toContain(Math.ceil(word.startSeconds * fps - 1e-6));
    for (const [n, strip] of strips.entries()) {
      expect(strip.firstFrame + strip.frames).toBeLessThanOrEqual(strips[n + 1]?.firstFrame ?? frames);
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
    expect(strips[0]?.firstFrame).toBe(0);
    expect((strips.at(-1)?.firstFrame ?? 0) + (strips.at(-1)?.frames ?? 0)).toBeLessThanOrEqual(frames);
    expect(await draw('boxed', [])).toEqual([]);
  });
});
