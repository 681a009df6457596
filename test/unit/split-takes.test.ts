import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { splitTakes } from '../../activities/tts/recipients/split-takes.js';
import { type SpokenText, voiceRate } from '../../activities/tts/voice.js';
import { createDoubleVoice } from '../support/wire/spoken-answers.js';

const voice = createDoubleVoice();
afterAll(() => {
  voice.close();
});

const texts = ['Ada Lovelace', 'Grace Hopper', 'Al'];
const gap = ' … ';
const expected = { texts, gap, silenceDb: -40, silenceSeconds: 0.18 };
let spoken: SpokenText;
beforeAll(async () => {
  spoken = await voice.speak(texts.join(gap));
});

describe('speech of several texts', () => {
  it('is cut into one take a text, each with its own words', async () => {
    const takes = splitTakes(spoken, expected) ?? [];
    expect(takes.map(({ words }) => words.map(({ text }) => text))).toEqual([
      ['Ada', 'Lovelace'],
      ['Grace', 'Hopper'],
      ['Al'],
    ]);
    for (const [n, text] of texts.entries()) {
      const take = takes[n];
      const single = await voice.speak(text);
      // The double's pause behind the text is no part of it.
      const alone = single.pcm.length / voiceRate - 0.4;
      expect(Math.abs((take?.pcm.length ?? 0) / voiceRate - alone)).toBeLessThan(0.1);
      for (const { charStart, charEnd, text: word, startSeconds, endSeconds } of take?.words ?? []) {
        expect(text.slice(charStart, charEnd)).toBe(word);
        expect(startSeconds).toBeGreaterThanOrEqual(0);
        expect(endSeconds).toBeLessThanOrEqual((take?.pcm.length ?? 0) / voiceRate + 0.001);
      }
    }
  });

  it('is not trusted when there are too few or too many silences', () => {
    expect(splitTakes(spoken, { ...expected, texts: texts.slice(0, 2) })).toBeUndefined();
    expect(splitTakes(spoken, { ...expected, texts: [...texts, 'Bo'] })).toBeUndefined();
    // A silence that is never reached, or is everywhere.
    expect(splitTakes(spoken, { ...expected, silenceSeconds: 1 })).toBeUndefined();
    expect(splitTakes(spoken, { ...expected, silenceDb: -3 })).toBeUndefined();
  });

  it('is not trusted when the words lie elsewhere than the cuts', () => {
    const words = spoken.words.map((word) =>
      word.text === 'Grace' ? { ...word, startSeconds: 0.1, endSeconds: 0.2 } : word,
    );
    expect(splitTakes({ ...spoken, words }, expected)).toBeUndefined();
  });

  it('is not trusted when one is said at a pace that nobody speaks at', () => {
    const loose = { ...spoken, words: [] };
    expect(splitTakes(loose, expected)).toHaveLength(3);
    const long = ['Al', 'Grace Hopper', 'Bartholomew Alexander Montgomery Fitzgerald the Third'];
    expect(splitTakes(loose, { ...expected, texts: long })).toBeUndefined();
  });

  it('is none when nothing is heard', () => {
    const silent = { pcm: new Int16Array(voiceRate), words: [], phonemes: [] };
    expect(splitTakes(silent, expected)).toBeUndefined();
    expect(splitTakes({ ...silent, pcm: new Int16Array(0) }, expected)).toBeUndefined();
  });
});
