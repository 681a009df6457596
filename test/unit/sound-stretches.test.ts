import { describe, expect, it } from 'vitest';
import { frameSamples, streamFrames } from '../../activities/media/aac/adts.js';
import { limiterGains, limiterStep } from '../../activities/media/audio/limiter.js';
import { planAudio } from '../../activities/media/audio/plan-audio.js';
import { stretchCuts } from '../../activities/media/audio/stretch-cuts.js';
import { layOutScenes } from '../../activities/media/captions/timeline.js';

function planOf(seconds: number[], music: boolean) {
  const voices = seconds.map((length) => ({
    ...{ audio: `${String(length)}.wav`, words: [], phonemes: [] },
    samples: Math.round(length * 48_000),
  }));
  const voiceSamples = voices.map(({ samples }) => samples);
  const timeline = layOutScenes({ voiceSamples, transition: 'fade', fps: 30 });
  const choice = music ? ({ builtin: 'calm', volumeDb: 0 } as const) : null;
  return { ...planAudio({ ...timeline, voices, fps: 30, music: choice }), timeline };
}

const lengthsOf = (cuts: number[]) => cuts.slice(1).map((cut, n) => cut - (cuts[n] ?? 0));

describe('the stretches of a sound', () => {
  const scenes = [4.1, 6.23, 70, 0.3, 5.77, 3.01];

  it.each([true, false])('cover it from end to end and are neither tiny nor endless (music: %s)', (music) => {
    const plan = planOf(scenes, music);
    const cuts = stretchCuts(plan);
    expect(cuts[0]).toBe(0);
    expect(cuts.at(-1)).toBe(streamFrames(plan.samples));
    for (const length of lengthsOf(cuts)) {
      expect(length).toBeGreaterThanOrEqual(16);
      expect(length).toBeLessThanOrEqual(1_406 + 16);
    }
  });

  it('are one for all where nobody speaks, and half a minute at most', () => {
    const samples = 95 * 48_000;
    const cuts = stretchCuts({ samples, clips: [], music: null });
    expect(lengthsOf(cuts)).toHaveLength(4);
    expect(stretchCuts({ samples: 48_000, clips: [], music: null })).toEqual([0, streamFrames(48_000)]);
  });

  it('hold each voice on the same place when the voices before it become longer', () => {
    const around = (plan: ReturnType<typeof planOf>) => {
      const cuts = stretchCuts(plan);
      return plan.clips.slice(-2).map(({ startSample, samples }) => {
        const from = cuts.filter((cut) => cut * frameSamples <= startSample).at(-1) ?? 0;
        const to = cuts.find((cut) => cut * frameSamples >= startSample + samples + frameSamples) ?? 0;
        return { before: startSample - from * frameSamples, frames: to - from };
      });
    };
    const expected = around(planOf(scenes, false));
    for (const longer of [4.2, 4.9, 5.37, 9.99]) {
      expect(around(planOf(scenes.with(0, longer), false))).toEqual(expected);
    }
  });

  it('begin with a voice that is at most 11 ms from its place in the picture', () => {
    const { clips, timeline } = planOf(scenes, false);
    clips.forEach(({ startSample }, index) => {
      expect(startSample % frameSamples).toBe(0);
      const wanted = timeline.scenes[index]?.voiceStartSample ?? NaN;
      expect(Math.abs(startSample - wanted)).toBeLessThanOrEqual(frameSamples / 2);
    });
  });
});

describe('limiterGains', () => {
  const steps = 4_000;
  const peaks = Float32Array.from({ length: steps }, (_, n) => 0.5 + 0.2 * Math.sin(n / 9));
  const gain = 1.1;

  it('keeps every step below its own ceiling', () => {
    const ceiling = (step: number) => (step < 2_000 ? 0.7 : 0.6);
    const gains = limiterGains(peaks, gain, ceiling);
    peaks.forEach((peak, step) => {
      const highest = Math.max(gains[step] ?? 0, gains[step + 1] ?? 0);
      expect(peak * highest).toBeLessThanOrEqual(ceiling(step) * 1.000_001);
    });
  });

  it('forgets a peak altogether within a second, whatever was before it', () => {
    const with900 = peaks.with(100, 4);
    const [one, other] = [peaks, with900].map((levels) => limiterGains(levels, gain, () => 0.99));
    expect(other?.[100]).toBeLessThan(0.3);
    const later = 100 + Math.ceil(48_000 / limiterStep);
    expect(other?.subarray(later)).toEqual(one?.subarray(later));
    // Where it stands does not matter to the last bit.
    const moved = limiterGains(peaks.subarray(7), gain, () => 0.6);
    const inPlace = limiterGains(peaks, gain, () => 0.6);
    const settled = 2 * Math.ceil(48_000 / limiterStep);
    expect(moved.subarray(settled - 7)).toEqual(inPlace.subarray(settled));
  });
});
