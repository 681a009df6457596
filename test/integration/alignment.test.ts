import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { alignTranscript } from '../../activities/tts/align/align-transcript.js';
import { withAligner } from '../../activities/tts/align/aligner.js';
import { createEspeakVoice } from '../../activities/tts/espeak.js';
import { openMono } from '../../activities/tts/mono-sound.js';
import { resample, toFloat } from '../../activities/tts/pcm.js';
import { spanBySilence, spokenSegments } from '../../activities/tts/spans/spoken-segments.js';
import { findTranscriptSpans } from '../../activities/tts/spans/transcript-spans.js';
import { voiceRate } from '../../activities/tts/voice.js';
import { parseMarkedTranscript } from '../../workflows/contract/marked-transcript.js';
import { percentile } from '../bench/statistics.js';
import {
  borderErrors,
  type RecordedSpeech,
  recordedRate,
  recordedSpeech,
  withBackground,
} from '../support/recorded-speech.js';

const voice = createEspeakVoice();
const never = new AbortController().signal;
let recordings: RecordedSpeech[];

beforeAll(async () => {
  recordings = await recordedSpeech();
});
afterAll(() => {
  voice.close();
});

const align = (text: string, samples: Float32Array, language = 'en') =>
  alignTranscript(voice, { text, language, samples, rate: recordedRate }, never);

function recording(name: string): RecordedSpeech {
  const found = recordings.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no recording ${name}`);
  return found;
}

const longText = {
  text: 'He was not an ill disposed young man, unless to be rather cold hearted and rather selfish is to be.',
  ...{ language: 'en', voiceId: null },
};

describe('forced alignment', () => {
  test('finds the words of recorded speech', async () => {
    const errors: number[] = [];
    for (const { text, samples, borders } of recordings) {
      errors.push(...borderErrors((await align(text, samples)).words, borders));
    }
    expect(percentile(errors, 0.5)).toBeLessThanOrEqual(0.06);
    expect(percentile(errors, 1)).toBeLessThanOrEqual(0.15);
  });

  test('finds them under noise', async () => {
    const { text, samples, borders } = recording('austen-0870');
    const errors = borderErrors((await align(text, withBackground(samples, 'noise', 12))).words, borders);
    expect(percentile(errors, 0.5)).toBeLessThanOrEqual(0.06);
    expect(percentile(errors, 0.9)).toBeLessThanOrEqual(0.15);
  });

  test.each([
    ['de', 'Guten Tag, lieber Freund, und willkommen in unserer schönen Stadt.', 'de+Andrea'],
    ['es', 'Hola amigo, bienvenido a nuestra ciudad.', 'es+f4'],
  ])('finds those of another voice in %s', async (language, text, voiceId) => {
    const spoken = await voice.speak({ text, language, voiceId, speed: 0.85 }, never);
    const samples = resample(toFloat(spoken.pcm), voiceRate, recordedRate);
    const borders = spoken.words.map(({ startSeconds, endSeconds }) => [startSeconds, endSeconds] as const);
    const errors = borderErrors((await align(text, samples, language)).words, borders);
    expect(percentile(errors, 0.5)).toBeLessThanOrEqual(0.04);
    expect(percentile(errors, 1)).toBeLessThanOrEqual(0.15);
  });

  test('refuses a text that is far too long for what is heard', async () => {
    const { samples, text } = recording('austen-0880');
    await expect(align(`${text} `.repeat(6), samples)).rejects.toMatchObject({ type: 'transcript_mismatch' });
  });
});

describe('the thread that aligns', () => {
  test('leaves the event loop free', async () => {
    const { samples } = recording('austen-0870');
    const said = await voice.speak({ ...longText, speed: 1 }, never);
    const before = performance.eventLoopUtilization();
    await withAligner(never, async (aligner) => {
      await aligner.hear({ samples, rate: recordedRate });
      for (let n = 0; n < 5; n += 1) await aligner.addVoice(said);
      const { words } = await aligner.align();
      expect(words).toHaveLength(said.words.length);
    });
    const { utilization, active } = performance.eventLoopUtilization(before);
    console.info(`busy for ${active.toFixed(0)} ms, ${(100 * utilization).toFixed(0)} % of the time`);
    expect(utilization).toBeLessThan(0.5);
  });

  test('ends with its job', async () => {
    const { samples } = recording('jfk');
    const said = await voice.speak({ ...longText, speed: 1 }, never);
    const many = new Float32Array(samples.length * 8);
    for (let n = 0; n < 8; n += 1) many.set(samples, n * samples.length);
    const abort = new AbortController();
    const aligning = withAligner(abort.signal, async (aligner) => {
      await aligner.addVoice(said);
      await aligner.hear({ samples: many, rate: recordedRate });
      for (let n = 0; n < 8; n += 1) await aligner.addVoice(said);
      setTimeout(() => {
        abort.abort(new Error('cancelled'));
      }, 50);
      return aligner.align();
    });
    await expect(aligning).rejects.toThrow('cancelled');
    // The thread is no more, and works no more.
    const { user } = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(process.cpuUsage().user - user).toBeLessThan(200_000);
  });

  test('says what went wrong in it, and another begins anew', async () => {
    const { samples } = recording('austen-0880');
    const without = withAligner(never, async (aligner) => {
      await aligner.hear({ samples, rate: recordedRate });
      return aligner.align();
    });
    await expect(without).rejects.toThrow(RangeError);
    await expect(withAligner(never, (aligner) => aligner.hear({ wav: '/nowhere.wav' }))).rejects.toThrow(
      'ENOENT',
    );
    const heard = await withAligner(never, (aligner) => aligner.hear({ samples, rate: recordedRate }));
    expect(heard.soundingSeconds).toBeGreaterThan(1);
    expect(heard.soundingSeconds).toBeLessThan(3.1);
  });
});

describe('spans of a marked transcript', () => {
  test('reach from before the words to behind them, at quiet moments', async () => {
    const { samples, borders } = recording('jfk');
    const marked = parseMarkedTranscript(
      'And so, my fellow [Americans], ask not what your country can do for you; [ask] what you can do for [your country|{land}].',
    );
    if ('problem' in marked) throw new Error(marked.problem);
    const { spans } = await findTranscriptSpans(
      voice,
      marked,
      { samples, rate: recordedRate, language: 'en' },
      never,
    );
    expect(spans.map(({ replacement }) => replacement)).toEqual([null, null, '{land}']);
    // The first and last word of each part, and beside which there is a pause.
    const words = [
      { first: 4, last: 4, pauseBefore: false, pauseAfter: true },
      { first: 14, last: 14, pauseBefore: true, pauseAfter: true },
      { first: 20, last: 21, pauseBefore: false, pauseAfter: true },
    ];
    const level = (at: number) => {
      const from = Math.round((at - 0.005) * recordedRate);
      const part = samples.subarray(from, from + 0.01 * recordedRate);
      return Math.sqrt(part.reduce((sum, sample) => sum + sample * sample, 0) / part.length);
    };
    for (const [n, { startSeconds, endSeconds }] of spans.entries()) {
      const word = words[n];
      if (word === undefined) throw new Error('a span too many');
      const [start] = borders[word.first] ?? [0, 0];
      const [, end] = borders[word.last] ?? [0, 0];
      expect(Math.abs(startSeconds - start)).toBeLessThan(0.17);
      expect(Math.abs(endSeconds - end)).toBeLessThan(0.17);
      const inside = Math.max(...[0.3, 0.5, 0.7].map((part) => level(start + part * (end - start))));
      if (word.pauseBefore) expect(level(startSeconds)).toBeLessThan(inside / 5);
      if (word.pauseAfter) expect(level(endSeconds)).toBeLessThan(inside / 5);
    }
  });

  test('two parts of one word are refused', async () => {
    const { samples } = recording('austen-0880');
    const marked = parseMarkedTranscript('He was not an [ill]-[disposed] young man.');
    if ('problem' in marked) throw new Error(marked.problem);
    await expect(
      findTranscriptSpans(voice, marked, { samples, rate: recordedRate, language: 'en' }, never),
    ).rejects.toMatchObject({ type: 'transcript_marks_touch' });
  });
});

describe('spans by silence', () => {
  /** Seconds of a tone at 0.2, or of silence with a little noise. */
  const sound = (...parts: [seconds: number, loud: boolean][]) =>
    Float32Array.from(
      parts.flatMap(([seconds, loud]) =>
        Array.from({ length: seconds * 1000 }, (_, n) => (loud ? 0.2 : 0.02) * (n % 2 === 0 ? 1 : -1)),
      ),
    );
  const options = { db: -30, seconds: 0.3 };

  const rate = 1000;
  const heard = async (samples: Float32Array) => openMono({ samples, rate });
  const segmentsOf = async (samples: Float32Array, silence = options) =>
    spokenSegments(await heard(samples), silence);
  const spanAt = async (position: 'start' | 'end', samples: Float32Array, takesWordsLength = false) =>
    spanBySilence(await heard(samples), { position, takesWordsLength }, options);

  test('segments are what stands between silences that are long enough', async () => {
    const samples = sound(
      [0.5, false],
      [0.4, true],
      [0.2, false],
      [0.3, true],
      [0.35, false],
      [1, true],
      [2, false],
    );
    expect(await segmentsOf(samples)).toEqual([
      { startSeconds: 0.5, endSeconds: 1.4 },
      { startSeconds: 1.75, endSeconds: 2.75 },
    ]);
    expect(await spanAt('start', samples)).toEqual({ startSeconds: 0.5, endSeconds: 1.4 });
    expect(await spanAt('end', samples)).toEqual({ startSeconds: 2.75, endSeconds: 4.75 });
    expect(await segmentsOf(samples, { db: -35, seconds: 0.3 })).toHaveLength(1);
    expect(await segmentsOf(samples, { db: -30, seconds: 0.2 })).toHaveLength(3);
  });

  test('a span that takes its words’ length stands close behind the last word', async () => {
    const [ending, cut] = [sound([1, true], [2, false]), sound([1, true])];
    expect(await spanAt('end', ending, true)).toEqual({ startSeconds: 1, endSeconds: 1.1 });
    // The recording ends with its last word: words are put in there, and none give way.
    expect(await spanAt('end', cut, true)).toEqual({ startSeconds: 1, endSeconds: 1 });
    expect(await spanAt('end', cut)).toBeUndefined();
  });

  test('there is none in silence, nor at the start where all is one', async () => {
    expect(await spanAt('end', sound([2, false]))).toBeUndefined();
    expect(await spanAt('start', sound([2, true]))).toBeUndefined();
    expect(await segmentsOf(sound([1, false], [0.02, true], [1, false]))).toEqual([]);
  });
});
