import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LipSyncRequest, RawClip } from '../../activities/lipsync/lip-sync.js';
import { mouthTrack } from '../../activities/lipsync/viseme/coarticulation.js';
import { planesOf } from '../../activities/lipsync/viseme/frame-planes.js';
import { linesOfLandmarks } from '../../activities/lipsync/viseme/mouth-lines.js';
import { skullFrame, toPicture } from '../../activities/lipsync/viseme/skull-frame.js';
import { createVisemeLipSync } from '../../activities/lipsync/viseme/viseme.js';
import { createEspeakVoice } from '../../activities/tts/espeak.js';
import type { SpokenText } from '../../activities/tts/voice.js';
import { correlation, frameOf, measureMouth, mouthBox } from '../support/mouth-opening.js';
import { noisyStill, patternClip, portraitClip, sideBySide } from '../support/raw-clips.js';
import { createTestFolder } from '../support/services.js';

const never = new AbortController().signal;
const voice = createEspeakVoice();
const speak = (text: string, language: string, signal: AbortSignal): Promise<SpokenText> =>
  voice.speak({ text, language, voiceId: null, speed: 1 }, signal);
const viseme = createVisemeLipSync({ speak });

let folder: Awaited<ReturnType<typeof createTestFolder>>;
beforeAll(async () => {
  folder = await createTestFolder('lip-sync');
});
afterAll(async () => {
  voice.close();
  await folder.remove();
});

const requestOf = (clip: RawClip, spoken: SpokenText, out: string): LipSyncRequest => ({
  id: 'job:lip_sync:1',
  clip,
  pcm: spoken.pcm,
  speech: { phonemes: spoken.phonemes, words: spoken.words, language: 'en' },
  outPath: join(folder.path, out),
  scratchDir: folder.path,
});

describe('a speaker who says something else', () => {
  let base: RawClip;
  let made: RawClip;
  let spoken: SpokenText;
  let original: Buffer;
  let result: Buffer;
  beforeAll(async () => {
    const size = { frames: 60, width: 640, height: 360, crop: '384:216:32:40' };
    const portrait = await portraitClip(folder.path, 'portrait.yuv', size);
    // The base's speaker is moving her lips already, saying something else.
    const before = await speak('Hello everybody, welcome to this wonderful show.', 'en', never);
    base = (await viseme.moveMouth(requestOf(portrait, before, 'base.yuv'), { signal: never })).clip;
    spoken = await speak('Hello Barbara, my papa and Bob.', 'en', never);
    const moved = await viseme.moveMouth(requestOf(base, spoken, 'made.yuv'), { signal: never });
    made = moved.clip;
    expect(moved.changedFrames).toBe(58);
    original = await readFile(base.path);
    result = await readFile(made.path);
  }, 240_000);

  it('has as many frames, and the first and last are the original', () => {
    expect(result.length).toBe(original.length);
    for (const n of [0, 59]) expect(frameOf(result, base, n).equals(frameOf(original, base, n))).toBe(true);
  });

  it('opens her mouth with the new words, not with the old ones', async () => {
    const { landmarkGaps, gaps } = await measureMouth(made);
    const frames = Array.from({ length: 50 }, (_value, k) => k + 5);
    const wanted = mouthTrack(
      spoken.phonemes,
      Array.from({ length: 60 }, (_value, n) => (n + 0.5) / 25),
    ).map(({ gap }) => gap);
    const at = (values: readonly number[]) => frames.map((n) => values[n] ?? 0);
    const byLandmarks = correlation(at(wanted), at(landmarkGaps));
    const byPicture = correlation(at(wanted), at(gaps));
    console.info(
      `opening against phonemes: r = ${byLandmarks.toFixed(3)} by landmarks, ${byPicture.toFixed(3)} by the picture`,
    );
    expect(byLandmarks).toBeGreaterThan(0.75);
    expect(byPicture).toBeGreaterThan(0.85);

    const bilabials = spoken.phonemes.filter(({ phoneme }) => /[pbm]/.test(phoneme));
    expect(bilabials.length).toBeGreaterThan(6);
    for (const { startSeconds, endSeconds } of bilabials) {
      const around = frames.filter((n) => {
        const moment = (n + 0.5) / 25 + 0.045;
        return moment > startSeconds - 0.03 && moment < endSeconds + 0.03;
      });
      if (around.length > 0) expect(Math.min(...around.map((n) => gaps[n] ?? 99))).toBeLessThan(1);
    }
    expect(Math.max(...at(gaps))).toBeGreaterThan(6);
  });

  it('changes nothing but the mouth and the jaw', async () => {
    const { track } = await measureMouth(base);
    for (let n = 0; n < base.frames; n += 7) {
      const points = track[n];
      if (!points) throw new Error('no face');
      const box = mouthBox(points);
      const before = planesOf(frameOf(original, base, n), base.width, base.height);
      const after = planesOf(frameOf(result, base, n), base.width, base.height);
      let outside = 0;
      let inside = 0;
      for (const [plane, scale] of [
        ['luma', 1],
        ['blue', 2],
        ['red', 2],
      ] as const) {
        const width = base.width / scale;
        for (const [k, value] of after[plane].entries()) {
          if (value === before[plane][k]) continue;
          const [x, y] = [(k % width) * scale, Math.floor(k / width) * scale];
          if (x < box.left || x > box.right || y < box.top || y > box.bottom) outside += 1;
          else inside += 1;
        }
      }
      expect(outside).toBe(0);
      if (n > 0) expect(inside).toBeGreaterThan(500);
    }
  });

  it('does not tremble: a mouth at rest stands as still as the face around it', async () => {
    // One frame of open lips again and again under fresh noise, as a camera makes it.
    const still = await noisyStill(folder.path, base, 30, 30);
    const rest = {
      pcm: new Int16Array(0),
      words: [],
      phonemes: [{ phoneme: 'm', startSeconds: 9, endSeconds: 9.1 }],
    };
    const { clip } = await viseme.moveMouth(requestOf(still, rest, 'still-out.yuv'), { signal: never });
    const [before, after] = [await readFile(still.path), await readFile(clip.path)];
    const { track, gaps } = await measureMouth(clip);
    const points = track[20];
    if (!points) throw new Error('no face');
    const skull = skullFrame(points);
    const { middle, half } = linesOfLandmarks(points, skull);
    /** Mean change of luma from frame to frame around the mouth. */
    const unrest = (file: Buffer) => {
      let sum = 0;
      let count = 0;
      for (let n = 8; n < 24; n++) {
        const [a, b] = [frameOf(file, still, n), frameOf(file, still, n + 1)];
        for (let u = middle - half; u <= middle + half; u += 0.5) {
          for (let v = 8; v <= 34; v += 0.5) {
            const { x, y } = toPicture(skull, u, v);
            const at = Math.round(y) * still.width + Math.round(x);
            sum += Math.abs((a[at] ?? 0) - (b[at] ?? 0));
            count += 1;
          }
        }
      }
      return sum / count;
    };
    console.info(
      `unrest around the mouth: ${unrest(before).toFixed(2)} before, ${unrest(after).toFixed(2)} after`,
    );
    expect(unrest(before)).toBeGreaterThan(1);
    expect(unrest(after)).toBeLessThan(unrest(before) * 1.15);
    expect(Math.max(...gaps.slice(8, 24))).toBeLessThan(1.5);
  });
});

describe('other clips', () => {
  it('without a face fail as such', async () => {
    const clip = await patternClip(folder.path, { frames: 8, width: 320, height: 240 });
    const spoken = await speak('Hello.', 'en', never);
    await expect(viseme.moveMouth(requestOf(clip, spoken, 'x.yuv'), { signal: never })).rejects.toMatchObject(
      {
        type: 'lip_sync_no_face',
        nonRetryable: true,
      },
    );
  });

  it('keep the frames in which the face is not seen', async () => {
    const size = { width: 320, height: 240 };
    const pattern = await patternClip(folder.path, { frames: 14, ...size });
    const portrait = await portraitClip(folder.path, 'late.yuv', {
      frames: 26,
      ...size,
      crop: '216:162:110:50',
    });
    const clip = { ...portrait, path: join(folder.path, 'cut.yuv'), frames: 40 };
    const before = Buffer.concat([await readFile(pattern.path), await readFile(portrait.path)]);
    await writeFile(clip.path, before);
    const spoken = await speak('Papa and mama are far away.', 'en', never);
    const { changedFrames } = await viseme.moveMouth(requestOf(clip, spoken, 'cut-out.yuv'), {
      signal: never,
    });
    const after = await readFile(join(folder.path, 'cut-out.yuv'));
    const same = Array.from({ length: 40 }, (_value, n) =>
      frameOf(before, clip, n).equals(frameOf(after, clip, n)),
    );
    // The portrait's own first and last frame ease from and to the original, too.
    expect(same.slice(0, 15)).toEqual(Array(15).fill(true));
    expect(same.at(-1)).toBe(true);
    expect(changedFrames).toBe(24);
    expect(same.filter((value) => !value).length).toBeGreaterThan(20);
  });

  it('with two faces move the larger one, with words alone, or with nothing but sound', async () => {
    const size = { frames: 14, width: 240, height: 240 };
    const large = await portraitClip(folder.path, 'large.yuv', { ...size, crop: '160:160:144:50' });
    const small = await portraitClip(folder.path, 'small.yuv', { ...size, crop: '300:300:80:0' });
    const pair = await sideBySide(folder.path, small, large);
    const spoken = await speak('Papa', 'en', never);
    const words = {
      ...requestOf(pair, spoken, 'pair-words.yuv'),
      speech: { phonemes: [], words: spoken.words, language: 'en' },
    };
    const sound = {
      ...requestOf(pair, spoken, 'pair-sound.yuv'),
      speech: { phonemes: [], words: [], language: 'en' },
    };
    const before = await readFile(pair.path);
    for (const request of [words, sound]) {
      expect((await viseme.moveMouth(request, { signal: never })).changedFrames).toBe(12);
      const after = await readFile(request.outPath);
      let changedLeft = 0;
      let changedRight = 0;
      const [from, to] = [frameOf(before, pair, 5), frameOf(after, pair, 5)];
      for (let k = 0; k < pair.width * pair.height; k++) {
        if (from[k] === to[k]) continue;
        if (k % pair.width < 240) changedLeft += 1;
        else changedRight += 1;
      }
      expect(changedLeft).toBe(0);
      expect(changedRight).toBeGreaterThan(300);
    }
  });

  it('stop at once when the job is cancelled', async () => {
    const clip = await portraitClip(folder.path, 'cancel.yuv', {
      ...{ frames: 60, width: 320, height: 240 },
      crop: '288:216:80:20',
    });
    const spoken = await speak('Hello there.', 'en', never);
    const abort = new AbortController();
    let stoppedAt = 0;
    const work = viseme.moveMouth(requestOf(clip, spoken, 'cancel-out.yuv'), {
      signal: abort.signal,
      report: () => {
        if (stoppedAt > 0) return;
        stoppedAt = Date.now();
        abort.abort(new Error('cancelled'));
      },
    });
    await expect(work).rejects.toThrow('cancelled');
    expect(Date.now() - stoppedAt).toBeLessThan(3_000);
  });
});
