import { describe, expect, it } from 'vitest';
import { escapeAss } from '../../activities/media/captions/ass-text.js';
import { readAss, writeAss } from '../../activities/media/captions/ass.js';
import { captionLayout } from '../../activities/media/captions/caption-layout.js';
import { displayWidth } from '../../activities/media/captions/display-width.js';
import { cueLines, phrase, phraseWidth } from '../../activities/media/captions/lines.js';
import { cuesOfScenes, cuesWithin } from '../../activities/media/captions/scene-cues.js';
import { readSrt, writeSrt } from '../../activities/media/captions/srt.js';
import { layOutScenes } from '../../activities/media/captions/timeline.js';
import { readVtt, writeVtt } from '../../activities/media/captions/vtt.js';
import type { WordTiming } from '../../workflows/contract/documents.js';

const narrations = [
  'Every morning the sun lights one half of our planet, and the other half sleeps. Nothing is lost — it moves.',
  'Watch {\\an8} and <b>bold</b> & C:\\new \\N done! 👩‍👩‍👧 सूर्य हमारे ग्रह को रोशन करता है। كيف الحال',
  '太阳每天早上照亮我们星球的一半，而另一半正在沉睡。没有什么会丢失，它只是移动了。',
];

/** Words as a voice gives them: letters and digits only, with a pause after punctuation. */
function speak(text: string): { words: WordTiming[]; samples: number } {
  let at = 0.05;
  const words = Array.from(text.matchAll(/[\p{L}\p{M}\p{N}]+/gu), (match) => {
    const startSeconds = at;
    at += 0.1 + 0.05 * match[0].length;
    const word = { text: match[0], startSeconds, endSeconds: at - 0.02 };
    if (/^[^\s\p{L}]*[.,!。，]/u.test(text.slice(match.index + match[0].length))) at += 0.3;
    return { ...word, charStart: match.index, charEnd: match.index + match[0].length };
  });
  return { words, samples: Math.ceil((at + 0.1) * 48_000) };
}

const voices = narrations.map(speak);
const timeline = layOutScenes({
  voiceSamples: voices.map((voice) => voice.samples),
  transition: 'fade',
  fps: 30,
});
const cuesFor = (lineLetters: number) =>
  cuesOfScenes({ scenes: timeline.scenes, narrations, voices, fps: 30, lineLetters });

describe('timeline', () => {
  it.each(['cut', 'fade', 'slide'] as const)(
    'keeps voices apart and out of transitions (%s)',
    (transition) => {
      const { scenes, totalFrames } = layOutScenes({
        voiceSamples: [48_001, 0, 160_000],
        transition,
        fps: 30,
      });
      for (const [index, scene] of scenes.entries()) {
        expect(scene.voiceStartSample % 1600).toBe(0);
        expect(scene.voiceStartSample).toBeGreaterThanOrEqual(
          (scene.startFrame + scene.transitionInFrames) * 1600,
        );
        const next = scenes[index + 1];
        const voiceEnd = scene.voiceStartSample + scene.voiceSamples;
        expect(voiceEnd).toBeLessThanOrEqual((next?.startFrame ?? totalFrames) * 1600);
        if (next) expect(next.startFrame).toBe(scene.startFrame + scene.frames - next.transitionInFrames);
        else expect(totalFrames).toBe(scene.startFrame + scene.frames);
      }
    },
  );

  it('refuses a rate at which a frame is no whole number of samples', () => {
    expect(() => layOutScenes({ voiceSamples: [1], transition: 'cut', fps: 29 })).toThrow(RangeError);
  });
});

describe('cues', () => {
  it.each([42, 24, 30])('have at most two lines of %i letters and stay in their scene', (lineLetters) => {
    const cues = cuesFor(lineLetters);
    for (const [index, cue] of cues.entries()) {
      expect(cue.lines.length).toBeLessThanOrEqual(2);
      for (const line of cueLines(cue)) expect(phraseWidth(line)).toBeLessThanOrEqual(lineLetters);
      expect(cue.endSeconds).toBeGreaterThanOrEqual(cue.words.at(-1)?.endSeconds ?? 0);
      expect(cue.endSeconds).toBeLessThanOrEqual((cues[index + 1]?.startSeconds ?? Infinity) + 1e-9);
      const scene = timeline.scenes.findLast((s) => cue.startSeconds * 48_000 >= s.voiceStartSample - 1);
      const nextScene = timeline.scenes[timeline.scenes.findIndex((s) => s === scene) + 1];
      expect(cue.endSeconds).toBeLessThanOrEqual((nextScene?.startFrame ?? timeline.totalFrames) / 30 + 1e-9);
    }
  });

  it('say the narration word for word, punctuation and signs included', () => {
    const text = phrase(
      cuesFor(30).flatMap((cue) => cue.words.map((word, n) => (n === 0 ? { ...word } : word))),
    );
    expect(text.replace(/\s/gu, '')).toBe(narrations.join('').replace(/\s/gu, ''));
  });

  it('break at the end of a sentence and keep clusters whole', () => {
    const cues = cuesFor(42);
    expect(cues.some((cue) => phrase(cue.words).endsWith('half sleeps.'))).toBe(true);
    expect(cues.flatMap((cue) => cue.words).some((word) => word.text.includes('👩‍👩‍👧'))).toBe(true);
    expect(displayWidth('太阳')).toBe(4);
  });

  it('mark each word exactly when it is said', () => {
    const first = cuesFor(42)[0]?.words[0];
    const said = voices[0]?.words[0]?.startSeconds ?? 0;
    const offset = (timeline.scenes[0]?.voiceStartSample ?? 0) / 48_000;
    expect(first?.startSeconds).toBeCloseTo(offset + said, 3);
  });

  it('have the same times within a stretch wherever it stands', () => {
    const cues = cuesFor(42);
    const shift = (frames: number) =>
      cues.map((cue) => ({
        ...cue,
        startSeconds: cue.startSeconds + frames / 30,
        endSeconds: cue.endSeconds + frames / 30,
        words: cue.words.map((word) => ({
          ...word,
          startSeconds: word.startSeconds + frames / 30,
          endSeconds: word.endSeconds + frames / 30,
        })),
      }));
    const still = cuesWithin(cues, { startFrame: 0, frames: 300, fps: 30 });
    for (const by of [1, 7, 1000]) {
      expect(cuesWithin(shift(by), { startFrame: by, frames: 300, fps: 30 })).toEqual(still);
    }
  });

  it('take a very long narration in stride', () => {
    const long = 'word, '.repeat(3_000);
    const started = performance.now();
    const cues = cuesOfScenes({
      ...{ scenes: [{ ...timeline.scenes[0], voiceSamples: 48_000 * 1_200 }], fps: 30, lineLetters: 42 },
      ...{ narrations: [long], voices: [{ words: [] }] },
    } as Parameters<typeof cuesOfScenes>[0]);
    expect(cues.flatMap((cue) => cue.words)).toHaveLength(3_000);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

describe('caption files', () => {
  const cues = cuesFor(42);
  it('VTT says the words of the narration at their times', () => {
    const read = readVtt(writeVtt(cues, 'en'));
    expect(read.map((cue) => cue.text.replace('\n', ' '))).toEqual(
      cues.map((cue) => cueLines(cue).map(phrase).join(' ')),
    );
    for (const [index, cue] of read.entries()) {
      const words = cues[index]?.words.slice(1).map((word) => Math.round(word.startSeconds * 1000) / 1000);
      expect(cue.wordStarts).toEqual(words);
    }
    expect(writeVtt(cues, 'en')).toContain('&lt;b&gt;bold&lt;/b&gt;');
  });

  it('SRT has the same texts and times', () => {
    const read = readSrt(writeSrt(cues));
    expect(read.map((cue) => cue.text)).toEqual(cues.map((cue) => cueLines(cue).map(phrase).join('\n')));
    for (const [n, cue] of read.entries())
      expect(cue.startSeconds).toBeCloseTo(cues[n]?.startSeconds ?? 0, 3);
  });

  it('ASS marks each word from the hundredth on which it is said', () => {
    const layout = captionLayout(1920, 1080);
    const marked = readAss(writeAss({ style: 'classic', layout, cues })).filter((e) =>
      e.text.includes('\\1c&H'),
    );
    const words = cues.flatMap((cue) => cue.words);
    expect(marked.map((event) => event.startSeconds)).toEqual(
      words.map((word) => Math.round(word.startSeconds * 100) / 100),
    );
  });

  it('keeps user text from being markup', () => {
    expect(escapeAss('{\\an8}a\nb\\Nc')).toBe('\\{\\\u2060an8\\}a b\\\u2060Nc');
  });
});
