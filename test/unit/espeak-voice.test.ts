import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { createEspeakVoice } from '../../activities/tts/espeak.js';
import { type SpokenText, voiceRate } from '../../activities/tts/voice.js';
import { espeakVoiceFor, espeakVoices } from '../../workflows/contract/voices.js';

const voice = createEspeakVoice();
afterAll(() => {
  voice.close();
});
const never = new AbortController().signal;
const speak = (text: string, options: { language?: string; voiceId?: string; speed?: number } = {}) =>
  voice.speak({ text, language: 'en', voiceId: null, speed: 1, ...options }, never);

const frameSeconds = 0.005;

/** Loudness of each 5 ms, as a share of the loudest. */
function envelope({ pcm }: SpokenText): number[] {
  const size = frameSeconds * voiceRate;
  const levels: number[] = [];
  for (let at = 0; at + size <= pcm.length; at += size) {
    levels.push(Math.sqrt(pcm.subarray(at, at + size).reduce((sum, x) => sum + x * x, 0) / size));
  }
  const loudest = Math.max(...levels);
  return levels.map((level) => level / loudest);
}

const seconds = ({ pcm }: SpokenText) => pcm.length / voiceRate;

function expectOrdered(spoken: SpokenText, text: string): void {
  let before = 0;
  let charBefore = 0;
  for (const word of spoken.words) {
    expect(word.startSeconds).toBeGreaterThanOrEqual(before - 1e-9);
    expect(word.endSeconds).toBeGreaterThanOrEqual(word.startSeconds);
    expect(word.charStart).toBeGreaterThanOrEqual(charBefore);
    expect(text.slice(word.charStart, word.charEnd)).toBe(word.text);
    before = word.endSeconds;
    charBefore = word.charEnd;
  }
  expect(before).toBeLessThanOrEqual(seconds(spoken) + 1e-9);
  // Nothing visible is left without a word.
  const rest = [...spoken.words]
    .reverse()
    .reduce((t, w) => t.slice(0, w.charStart) + t.slice(w.charEnd), text);
  expect(rest.replace(/[\s\p{Cc}\p{Cs}]/gu, '')).toBe('');
}

describe('word times', () => {
  it.each(['en-us+max', 'en-us+f2', 'en-gb+Annie', 'en-us'])(
    'are where the sound is (%s)',
    async (voiceId) => {
      const text = 'One, apples, man, seven, nine, elephants; never, zoo.';
      const spoken = await speak(text, { voiceId });
      const levels = envelope(spoken);
      const soundsFrom = (from: number) =>
        levels.findIndex((level, n) => n * frameSeconds >= from && level > 0.03) * frameSeconds;
      expect(spoken.words).toHaveLength(8);
      for (const [n, word] of spoken.words.entries()) {
        const before = spoken.words[n - 1];
        const gapMiddle = before === undefined ? 0 : (before.endSeconds + word.startSeconds) / 2;
        if (before !== undefined) expect(word.startSeconds - before.endSeconds).toBeGreaterThan(0.05);
        expect(Math.abs(soundsFrom(gapMiddle) - word.startSeconds)).toBeLessThan(0.03);
      }
      expectOrdered(spoken, text);
    },
  );

  it('come with phonemes that fill the words', async () => {
    const spoken = await speak('Durable pipelines finish.');
    const word = spoken.words[1];
    const inside = spoken.phonemes.filter(
      ({ startSeconds }) =>
        startSeconds >= (word?.startSeconds ?? 0) - 1e-6 && startSeconds < (word?.endSeconds ?? 0) - 1e-6,
    );
    expect(inside.map(({ phoneme }) => phoneme).join('')).toMatch(/^p.*ˈaɪ.*p.*l.*n.*z$/);
    expect(Math.abs((inside.at(-1)?.endSeconds ?? 0) - (word?.endSeconds ?? 0))).toBeLessThan(0.02);
    for (const { startSeconds, endSeconds } of spoken.phonemes) {
      expect(endSeconds).toBeGreaterThanOrEqual(startSeconds);
    }
  });

  it.each([
    ['It costs $12.50 — or 1,984 euros, i.e. well-known (maybe) 50% more.', 11],
    ['Smile 😀 now, 👩‍👩‍👧 family!', 3],
    ['“Quoted,” she said… ‘Really?’', 4],
    ['One of the best in the world of it all.', 10],
  ])('are one for each visible word: %s', async (text, count) => {
    const spoken = await speak(text);
    expectOrdered(spoken, text);
    expect(spoken.words).toHaveLength(count);
    for (const word of spoken.words) expect(word.endSeconds - word.startSeconds).toBeGreaterThan(0.02);
  });
});

describe('languages', () => {
  it.each([
    ['hi', 'नमस्ते दुनिया, यह एक परीक्षा है।', 6],
    ['ar', 'مرحبا بالعالم، هذا اختبار.', 4],
    ['zh', '今天天气很好，我们去公园。', 6],
    ['ja', 'これはテストです。', 4],
    ['de', 'Die Straße führt über die Brücke.', 6],
    ['en', 'नमस्ते दुनिया', 2],
  ])('%s speaks', async (language, text, count) => {
    const spoken = await speak(text, { language });
    expectOrdered(spoken, text);
    expect(spoken.words).toHaveLength(count);
    expect(seconds(spoken)).toBeGreaterThan(count * 0.15);
    expect(envelope(spoken).filter((level) => level > 0.05).length).toBeGreaterThan(seconds(spoken) * 80);
  });

  it('have the voice of their script, where the named language does not use it', () => {
    const resolve = (text: string, language: string) => voice.resolveVoice({ text, language, voiceId: null });
    expect(resolve('नमस्ते', 'en')).toBe('hi+max');
    expect(resolve('नमस्ते', 'mr')).toBe('mr+max');
    expect(resolve('漢字', 'ja')).toBe('ja+max');
    expect(resolve('Hello', 'hi')).toBe('hi+max');
    expect(espeakVoiceFor('en-US')).toBe('en-us+max');
    expect(espeakVoiceFor('zh-Hant-TW')).toBe('cmn+max');
    expect(espeakVoiceFor('xx')).toBeUndefined();
    for (const [id, code] of [
      [null, 'language_unsupported'],
      ['nobody', 'voice_unknown'],
    ] as const) {
      expect(() => voice.resolveVoice({ text: 'x', language: 'tlh', voiceId: id })).toThrow(
        expect.objectContaining({ type: code, nonRetryable: true }) as Error,
      );
    }
  });

  it('are all known to the program', async () => {
    for (const id of espeakVoices.filter((name) => !name.includes('+'))) {
      const spoken = await speak('1 2', { voiceId: id });
      expect(seconds(spoken), id).toBeGreaterThan(0.2);
    }
  });
});

describe('the sound', () => {
  it('is level, without silence around it, and does not clip', async () => {
    for (const voiceId of ['en-us+max', 'en-us+f2', 'hi']) {
      const spoken = await speak('Nine men were mowing a long lawn.', { voiceId });
      const peak = spoken.pcm.reduce((max, x) => Math.max(max, Math.abs(x)), 0) / 32_768;
      const rms = Math.sqrt(spoken.pcm.reduce((sum, x) => sum + (x / 32_768) ** 2, 0) / spoken.pcm.length);
      expect(20 * Math.log10(peak)).toBeLessThan(-1);
      expect(20 * Math.log10(rms)).toBeGreaterThan(-23);
      expect(20 * Math.log10(rms)).toBeLessThan(-18);
      const levels = envelope(spoken);
      expect(levels.findIndex((level) => level > 0.02)).toBeLessThan(4);
      expect(levels.length - 1 - levels.findLastIndex((level) => level > 0.02)).toBeLessThan(16);
      expect(spoken.pcm[0]).toBe(0);
      expect(Math.abs(spoken.pcm.at(-1) ?? 1)).toBeLessThan(4);
    }
  });

  it('of a sentence is the same whatever was said before it', async () => {
    const other = createEspeakVoice();
    try {
      const request = { text: 'A keeper trims the lamp.', language: 'en', voiceId: null, speed: 1 };
      const first = await other.speak(request, never);
      // Texts of all lengths, and of another language, move what the program keeps in its memory.
      const between = ['Ships pass until morning.', 'word '.repeat(400), 'x', 'Grüße aus Köln'];
      for (const [n, text] of between.entries()) {
        await other.speak({ ...request, text, language: n === 3 ? 'de' : 'en' }, never);
        expect(await other.speak(request, never)).toEqual(first);
      }
      expect(await speak(request.text)).toEqual(first);
    } finally {
      other.close();
    }
  });

  it('follows the speed', async () => {
    const text = 'The same words take more or less time to say.';
    const [slow, plain, fast] = [0.5, 1, 2].map((speed) => speak(text, { speed }));
    const plainSeconds = seconds((await plain) ?? expect.fail());
    expect(seconds((await slow) ?? expect.fail()) / plainSeconds).toBeGreaterThan(1.5);
    expect(seconds((await fast) ?? expect.fail()) / plainSeconds).toBeLessThan(0.65);
  });
});

describe('any text', () => {
  it.each([
    ['markup', '<speak>a<break time="9s"/></speak> &lt; &amp; [[h@loU]] <audio src="/etc/passwd">'],
    ['overrides', "{\\an8} ',drawtext=textfile=/etc/passwd %{} $(touch x) --flag"],
    ['controls', 'a\u0000b \u0007 c\u001b[0m d'],
    ['half a surrogate', 'a \ud83d b \ude00'],
    ['only emoji', '😀😀 🎉'],
    ['only dashes', '— … —'],
    ['combining marks', 'Z͑ͫ̓a̴l̷g̶o̸'],
    ['right to left among others', 'abc ‏שלום‏ def'],
  ])('%s is spoken as text', async (_name, text) => {
    const spoken = await speak(text);
    expectOrdered(spoken, text);
    expect(spoken.words.length).toBeGreaterThan(0);
    expect(seconds(spoken)).toBeLessThan(30);
  });

  it('says the names inside of tags instead of obeying them', async () => {
    const marked = await speak('one <break time="3s"/> two');
    const plain = await speak('one two');
    expect(seconds(marked)).toBeGreaterThan(seconds(plain) + 1);
    expect(envelope(marked).filter((level) => level > 0.05).length * frameSeconds).toBeGreaterThan(1.5);
  });

  it('of one word without end is bounded', async () => {
    const spoken = await speak('x'.repeat(10_000));
    expect(spoken.words).toMatchObject([{ charStart: 0, charEnd: 10_000 }]);
    expect(seconds(spoken)).toBeLessThan(60);
  });
});

describe('the program', () => {
  it('is started again after it died, and the request that it held may be tried again', async () => {
    await speak('Warm up.');
    const pid = voice.pid() ?? expect.fail('no program runs');
    const long = speak('This is a rather long sentence. '.repeat(40));
    process.kill(pid, 'SIGKILL');
    await expect(long).rejects.toMatchObject({ type: 'voice_unavailable', nonRetryable: false });
    expect(seconds(await speak('And on it goes.'))).toBeGreaterThan(0.5);
    expect(voice.pid()).not.toBe(pid);
  });

  it('is killed when it takes too long, without harm to those who wait behind', async () => {
    const hasty = createEspeakVoice({ timeoutMs: 1 });
    const request = { text: 'Too slow. '.repeat(40), language: 'en', voiceId: null, speed: 1 };
    await expect(hasty.speak(request, never)).rejects.toMatchObject({ type: 'voice_unavailable' });
    hasty.close();
  });

  it('lets a cancelled request go at once', async () => {
    const abort = new AbortController();
    const request = { text: 'A long text it is. '.repeat(60), language: 'en', voiceId: null, speed: 1 };
    const speaking = voice.speak(request, abort.signal);
    setTimeout(() => {
      abort.abort(new Error('stop'));
    }, 10);
    await expect(speaking).rejects.toThrow('stop');
  });

  it('speaks for many at once, each its own text', async () => {
    const texts = Array.from({ length: 12 }, (_, n) => `Number ${String(n)} ${'and more '.repeat(n)}.`);
    const spoken = await Promise.all(texts.map((text) => speak(text)));
    expect(spoken.map(({ words }) => words.length)).toEqual(texts.map((_, n) => 2 + 2 * n));
  });

  it('is gone after close', async () => {
    const other = createEspeakVoice();
    await other.speak({ text: 'Hi.', language: 'en', voiceId: null, speed: 1 }, never);
    const pid = other.pid() ?? expect.fail('no program runs');
    other.close();
    await delay(200);
    expect(() => process.kill(pid, 0)).toThrow();
  });
});
