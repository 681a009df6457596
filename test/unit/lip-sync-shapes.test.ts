import { describe, expect, it } from 'vitest';
import { mouthTrack } from '../../activities/lipsync/viseme/coarticulation.js';
import { easing } from '../../activities/lipsync/viseme/mouth-job.js';
import { visemesOf } from '../../activities/lipsync/viseme/mouth-shapes.js';
import { phonemesOf } from '../../activities/lipsync/viseme/phoneme-times.js';
import { smoothed } from '../../activities/lipsync/viseme/smoothing.js';
import { loudnessOf, shapesOfSound } from '../../activities/lipsync/viseme/sound-shapes.js';
import type { PhonemeTiming } from '../../workflows/contract/documents.js';

/** Phonemes one after another, `start` seconds in, of the given lengths in milliseconds. */
function said(start: number, ...parts: [phoneme: string, ms: number][]): PhonemeTiming[] {
  let at = start;
  return parts.map(([phoneme, ms]) => {
    const startSeconds = at;
    at += ms / 1000;
    return { phoneme, startSeconds, endSeconds: at };
  });
}

const middles = (frames: number, fps: number) => Array.from({ length: frames }, (_v, n) => (n + 0.5) / fps);

describe('phonemes', () => {
  it('become shapes, whatever marks they carry', () => {
    expect(visemesOf('ˈɑː')).toEqual(visemesOf('ɑ'));
    expect(visemesOf('t͡ʃ')).toHaveLength(2);
    expect(visemesOf('aɪ')).toHaveLength(2);
    expect(visemesOf('pʰ')).toEqual(visemesOf('b'));
    expect(visemesOf('ã')).toEqual(visemesOf('a'));
    expect(visemesOf('')).toEqual([]);
    expect(visemesOf('?!')).toEqual([]);
  });
});

describe('the mouth over time', () => {
  it.each([24, 25, 29.97, 30, 50])('closes on every bilabial at %d frames a second', (fps) => {
    // The borders fall anywhere between two frames.
    for (let shift = 0; shift < 0.04; shift += 0.003) {
      const phonemes = said(
        0.3 + shift,
        ['ɑ', 120],
        ['p', 60],
        ['æ', 110],
        ['m', 70],
        ['i', 90],
        ['b', 40],
        ['ɑ', 150],
      );
      const track = mouthTrack(phonemes, middles(Math.round(1.4 * fps), fps));
      const near = (middle: number) =>
        track.filter((_shape, n) => Math.abs((n + 0.5) / fps + 0.045 - middle) < 0.06).map(({ gap }) => gap);
      for (const { phoneme, startSeconds, endSeconds } of phonemes) {
        if ('pmb'.includes(phoneme)) {
          expect(Math.min(...near((startSeconds + endSeconds) / 2))).toBeLessThan(0.05);
        } else if (phoneme === 'ɑ') {
          expect(Math.max(...near((startSeconds + endSeconds) / 2))).toBeGreaterThan(6);
        }
      }
    }
  });

  it('opens wide for [ɑ], gathers for [u], spreads for [i], and rests in silence', () => {
    const shapeOf = (phoneme: string) =>
      mouthTrack(said(0.5, ['h', 60], [phoneme, 250], ['h', 60]), [0.6])[0] ?? { gap: 0, width: 0, round: 0 };
    expect(shapeOf('ɑ').gap).toBeGreaterThan(shapeOf('ɛ').gap);
    expect(shapeOf('ɛ').gap).toBeGreaterThan(shapeOf('i').gap);
    expect(shapeOf('u').width).toBeLessThan(-5);
    expect(shapeOf('u').round).toBeGreaterThan(0.7);
    expect(shapeOf('i').width).toBeGreaterThan(3);
    const track = mouthTrack(said(0.5, ['ɑ', 150]), [0.1, 1.2]);
    for (const { gap } of track) expect(gap).toBeLessThan(0.3);
  });

  it('leads the sound by 30 to 60 milliseconds', () => {
    const times = middles(500, 500);
    const track = mouthTrack(said(0.4, ['ɑ', 200]), times).map(({ gap }) => gap);
    const half = Math.max(...track) / 2;
    const openSeconds = times.filter((_time, n) => (track[n] ?? 0) > half);
    const middle = ((openSeconds[0] ?? 0) + (openSeconds.at(-1) ?? 0)) / 2;
    expect(0.5 - middle).toBeGreaterThan(0.03);
    expect(0.5 - middle).toBeLessThan(0.06);
  });

  it('moves no faster than a mouth can', () => {
    const fast = said(
      0.2,
      ...(Array(8)
        .fill([
          ['t', 45],
          ['ɑ', 60],
          ['s', 50],
          ['u', 60],
        ])
        .flat() as [string, number][]),
    );
    const track = mouthTrack(fast, middles(200, 100));
    const steps = track.slice(1).map(({ gap }, n) => Math.abs(gap - (track[n]?.gap ?? 0)));
    // Millimetres in 10 ms; lips reach some 250 mm/s.
    expect(Math.max(...steps)).toBeLessThan(2.5);
  });

  it('has nothing to say without phonemes', () => {
    for (const { gap } of mouthTrack([], middles(5, 25))) expect(gap).toBe(0);
  });
});

describe('speech of which less is known', () => {
  const signal = new AbortController().signal;
  const word = (text: string, startSeconds: number, endSeconds: number) => ({
    ...{ text, startSeconds, endSeconds, charStart: 0, charEnd: 0 },
  });
  const spoken = {
    words: [word('ba', 0, 0.2), word('bo', 0.2, 0.5)],
    phonemes: said(0, ['b', 50], ['a', 150], ['b', 100], ['oʊ', 200]),
  };

  it('takes phonemes from a voice that says the same words, at the words’ own times', async () => {
    const words = [word('ba', 1, 1.4), word('bo', 2, 2.3)];
    const phonemes = await phonemesOf(
      { phonemes: [], words, language: 'en' },
      () => Promise.resolve(spoken),
      signal,
    );
    expect(phonemes?.map(({ startSeconds }) => Number(startSeconds.toFixed(3)))).toEqual([1, 1.1, 2, 2.1]);
    expect(phonemes?.at(-1)?.endSeconds).toBeCloseTo(2.3);
  });

  it('stretches them over all when the words are counted differently', async () => {
    const phonemes = await phonemesOf(
      { phonemes: [], words: [word('babo', 1, 2)], language: 'en' },
      () => Promise.resolve(spoken),
      signal,
    );
    expect(phonemes?.[0]?.startSeconds).toBe(1);
    expect(phonemes?.at(-1)?.endSeconds).toBeCloseTo(2);
  });

  it('opens the mouth where the sound is loud, when only that is known', () => {
    const rate = 48_000;
    const pcm = new Int16Array(rate);
    for (let n = rate * 0.4; n < rate * 0.6; n++) pcm[n] = 9_000 * Math.sin((n * 2 * Math.PI * 700) / rate);
    expect(loudnessOf(pcm, rate)(0.5)).toBeGreaterThan(0.95);
    const track = shapesOfSound(pcm, rate, middles(25, 25));
    expect(track[11]?.gap).toBeGreaterThan(5);
    expect([track[2]?.gap, track[22]?.gap]).toEqual([0, 0]);
  });
});

describe('transitions', () => {
  it('ease from the original at both ends and beside frames without a face', () => {
    const weights = easing([...Array<boolean>(8).fill(true), false, ...Array<boolean>(7).fill(true)]);
    expect(weights[0]).toBe(0);
    expect(weights[8]).toBe(0);
    expect(weights.at(-1)).toBe(0);
    expect(weights[4]).toBe(1);
    expect(weights.slice(0, 4)).toEqual(weights.slice(0, 4).toSorted((a, b) => a - b));
    expect(easing([true])).toEqual([0]);
  });

  it('smoothing keeps a movement and takes out its trembling', () => {
    const parabola = Array.from({ length: 20 }, (_v, n) => 0.3 * n * n - 2 * n + 5);
    for (const [n, value] of smoothed(parabola, 3).entries()) expect(value).toBeCloseTo(parabola[n] ?? 0, 6);
    const trembling = Array.from({ length: 40 }, (_v, n) => (n % 2 === 0 ? 1 : -1));
    expect(Math.max(...smoothed(trembling, 3).slice(4, -4).map(Math.abs))).toBeLessThan(0.25);
  });
});
