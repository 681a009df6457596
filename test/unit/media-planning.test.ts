import { describe, expect, it } from 'vitest';
import { canonicalHash } from '../../activities/canonical-hash.js';
import type { CaptionDocument } from '../../activities/media/composition.js';
import { layOutScenes } from '../../activities/media/captions/timeline.js';
import { frameState } from '../../activities/media/compositor/frame-state.js';
import { viewAt } from '../../activities/media/compositor/motion.js';
import { composeVideo, type ComposeVideoInput } from '../../activities/media/plan-composition.js';
import { renderUnits, unitFrames, unitsOf } from '../../activities/media/render-units.js';
import type { VoiceDocument } from '../../workflows/contract/documents.js';
import type { Transition } from '../../workflows/contract/options.js';

const fps = 30;
const hash = (n: number) => `${n.toString(16).padStart(2, '0').repeat(32)}.png`;

const voice = (seconds: number): VoiceDocument => ({
  audio: 'voice.wav',
  samples: Math.round(seconds * 48_000),
  phonemes: [],
  words: [
    { text: 'one', startSeconds: 0.1, endSeconds: 0.4, charStart: 0, charEnd: 3 },
    { text: 'two', startSeconds: 0.9, endSeconds: 1.3, charStart: 4, charEnd: 7 },
  ],
});

function plan(seconds: number[], transition: Transition, picture: (n: number) => string = hash) {
  const voices = seconds.map(voice);
  const { scenes, totalFrames } = layOutScenes({
    voiceSamples: voices.map((spoken) => spoken.samples),
    transition,
    fps,
  });
  const timing: CaptionDocument = {
    ...{ fps, totalFrames, scenes, vtt: 'a.vtt', srt: 'a.srt', ass: 'a.ass' },
    cues: scenes.map((scene) => {
      const start = scene.voiceStartSample / 48_000;
      const word = { text: 'one', startSeconds: start + 0.1, endSeconds: start + 0.4 };
      return { startSeconds: start, endSeconds: start + 1, speaker: null, words: [word], lines: [1] };
    }),
  };
  const input: ComposeVideoInput = {
    pictures: seconds.map((_, n) => ({
      background: picture(n),
      overlays: [{ artifact: hash(100 + n), x: 10, y: 20, width: 30, height: 40, appearAtWord: 1 }],
    })),
    ...{ voices, timing },
    options: {
      ...{ aspectRatio: '16:9', resolution: '720p', transition, motion: 'kenburns', music: null },
      captions: { mode: 'burned', style: 'classic' },
    },
  };
  return { composition: composeVideo(input), totalFrames, scenes };
}

const hashes = (...args: Parameters<typeof plan>) =>
  renderUnits(plan(...args).composition).map((unit) => canonicalHash(unit));

describe('units of a video', () => {
  it.each(['cut', 'fade', 'slide'] as const)('cover every frame once with %s', (transition) => {
    const { composition, totalFrames } = plan([3, 2.51, 4], transition);
    const units = renderUnits(composition);
    expect(units.reduce((sum, unit) => sum + unit.frames, 0)).toBe(totalFrames);
    expect(units.map((unit) => unit.transition)).toEqual(
      transition === 'cut' ? [null, null, null] : [null, transition, null, transition, null],
    );
  });

  it('change with a scene only where it shows, though it moves all that follow', () => {
    const before = hashes([3, 2, 4, 5], 'fade');
    const after = hashes([3, 2.7, 4, 5], 'fade');
    const changed = before.flatMap((name, index) => (name === after[index] ? [] : [index]));
    expect(changed).toEqual([1, 2, 3]);
    const repainted = hashes([3, 2, 4, 5], 'fade', (n) => hash(n === 3 ? 77 : n));
    expect(before.flatMap((name, index) => (name === repainted[index] ? [] : [index]))).toEqual([5, 6]);
  });

  it('carry captions by the times of the unit', () => {
    const { composition, scenes } = plan([3, 2, 4], 'fade');
    const bodies = renderUnits(composition).filter((unit) => unit.transition === null);
    for (const [index, body] of bodies.entries()) {
      const scene = scenes[index];
      if (!scene) throw new Error('no scene');
      const start = scene.voiceStartSample / 48_000 - (scene.startFrame + scene.transitionInFrames) / fps;
      expect(body.captions?.cues.map((cue) => cue.startSeconds)).toEqual([expect.closeTo(start, 4)]);
    }
    const overlaps = renderUnits(composition).filter((unit) => unit.transition !== null);
    expect(overlaps.map((unit) => unit.captions)).toEqual([null, null]);
  });

  it('are the same segment by segment, and keep the hashes by which they are found in the cache', () => {
    const { composition } = plan([3, 2.51, 4], 'slide');
    const units = renderUnits(composition);
    expect([0, 1, 2].map((index) => unitsOf(composition, index))).toEqual([
      units.slice(0, 1),
      units.slice(1, 3),
      units.slice(3),
    ]);
    expect(unitsOf(composition, 3)).toEqual([]);
    expect(unitFrames(composition).flat()).toEqual(units.map((unit) => unit.frames));
    expect(canonicalHash(hashes([3, 2.51, 4], 'slide'))).toBe(
      '7a82ea06775b5ae196ec95a85adeb46560bd224ba2f4f409bbe487bfe14e0e67',
    );
  });

  it('look at the words of the cues that show in them only', () => {
    const { composition } = plan(Array<number>(40).fill(2), 'fade');
    let looks = 0;
    const cues = composition.captions?.cues.map((cue) =>
      Object.defineProperty({ ...cue }, 'words', {
        enumerable: true,
        get: () => {
          looks += 1;
          return cue.words;
        },
      }),
    );
    const watched = { ...composition, captions: { style: 'classic' as const, cues: cues ?? [] } };
    const units = renderUnits(watched);
    expect(units.every((unit) => unit.transition !== null || unit.captions?.cues.length === 1)).toBe(true);
    // Twice a cue: it is copied as a whole, then its words are.
    expect(looks).toBe(80);
    looks = 0;
    expect(unitsOf(watched, 20).map((unit) => unit.captions?.cues.length)).toEqual([undefined, 1]);
    expect(looks).toBe(2);
  });
});

describe('what shows on a frame', () => {
  it('an overlay fades in with its word', () => {
    const { composition, scenes } = plan([3], 'cut');
    const [unit] = renderUnits(composition);
    if (!unit || !scenes[0]) throw new Error('no unit');
    const word = Math.round(scenes[0].voiceStartSample / 1600 + 0.9 * fps);
    const fades = [word - 1, word, word + 4, word + 9].map((frame) => {
      const overlay = frameState(unit, [], frame).shots[0]?.find((layer) => layer.kind === 'overlay');
      return overlay?.kind === 'overlay' ? overlay.fade : null;
    });
    expect(fades[0]).toBeNull();
    expect(fades[1]).toBeGreaterThan(0);
    expect(fades[1]).toBeLessThan(40);
    expect(fades[2]).toBe(128);
    expect(fades[3]).toBe(256);
  });

  it('a motion goes at a constant speed and never leaves the picture', () => {
    for (const seed of [0, 1, 77, 12_345]) {
      const views = Array.from({ length: 11 }, (_, i) => viewAt({ kind: 'kenburns', seed }, i / 10));
      const steps = views.slice(1).map((view, i) => view.left - (views[i]?.left ?? 0));
      for (const step of steps) expect(step).toBeCloseTo(steps[0] ?? NaN, 10);
      for (const { left, top, size } of views) {
        expect(Math.min(left, top)).toBeGreaterThanOrEqual(0);
        expect(Math.max(left, top) + size).toBeLessThanOrEqual(1 + 1e-12);
      }
      expect(Math.abs((views[10]?.size ?? 0) - (views[0]?.size ?? 0))).toBeGreaterThan(0.05);
    }
  });
});
