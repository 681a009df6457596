import { describe, expect, test } from 'vitest';
import { markWords, parseMarkedTranscript } from '../../workflows/contract/marked-transcript.js';

/** Spoken text and, for each part, what stands there and what is said instead. */
function read(source: string) {
  const result = parseMarkedTranscript(source);
  if ('problem' in result) throw new Error(`${result.problem} at ${String(result.position)}`);
  const { text, parts } = result;
  return {
    text,
    parts: parts.map(({ charStart, charEnd, replacement }) => [text.slice(charStart, charEnd), replacement]),
  };
}

describe('marks in a transcript', () => {
  test('leave the spoken text and name its parts', () => {
    expect(read('Hello [friend], welcome to [our city|the town of {city}].')).toEqual({
      text: 'Hello friend, welcome to our city.',
      parts: [
        ['friend', null],
        ['our city', 'the town of {city}'],
      ],
    });
  });

  test('trim what stands around a part and keep what stands around the brackets', () => {
    expect(read('[ Ada | {name} ]!\n')).toEqual({ text: 'Ada!\n', parts: [['Ada', '{name}']] });
  });

  test.each([
    ['Привет, [дорогой друг]!', 'дорогой друг'],
    ['مرحبا [صديقي]، أهلا', 'صديقي'],
    ['नमस्ते [दोस्त] जी', 'दोस्त'],
    ['🎉 [Zoë 👩‍🚀] 𝒳', 'Zoë 👩‍🚀'],
  ])('take any script: %s', (source, part) => {
    const { text, parts } = read(source);
    expect(parts).toEqual([[part, null]]);
    expect(text).toBe(source.replace(/[[\]]/g, ''));
  });

  test('part words of a script without spaces', () => {
    const { text, parts } = read('こんにちは[友達]さん');
    expect(parts).toEqual([['友達', null]]);
    expect(text).toBe('こんにちは\u200b友達\u200bさん');
  });

  test.each([
    ['Hello friend', 'there is no part in brackets', 1],
    ['', 'there is no part in brackets', 1],
    ['Hello [friend', 'a bracket is not closed', 7],
    ['Hello friend]', 'a bracket is closed that was not opened', 13],
    ['a [b [c] d]', 'a bracket is opened inside another', 6],
    ['a [] b', 'a bracket has no word in it', 3],
    ['a [ … ] b', 'a bracket has no word in it', 3],
    ['a [|{name}] b', 'a bracket has no word in it', 3],
    ['a [b|] c', 'a bracket has nothing after its |', 3],
    ['my [friend]ly crowd', 'a bracket begins or ends inside a word', 4],
    ['😀 un[kind]', 'a bracket begins or ends inside a word', 5],
  ])('are refused where they make no sense: %s', (source, problem, position) => {
    expect(parseMarkedTranscript(source)).toEqual({ problem, position });
  });

  test('a hundred thousand open brackets are refused at once', () => {
    const before = performance.now();
    expect(parseMarkedTranscript('['.repeat(100_000))).toHaveProperty('position', 2);
    expect(performance.now() - before).toBeLessThan(200);
  });
});

describe('words named as markers', () => {
  test('are found as whole words, in order', () => {
    const text = 'NAME1x meets NAME1 and NAME2.';
    expect(markWords(text, ['NAME1', 'NAME2'])).toEqual({
      text,
      parts: [
        { charStart: 13, charEnd: 18, replacement: '{NAME1}' },
        { charStart: 23, charEnd: 28, replacement: '{NAME2}' },
      ],
    });
  });

  test('are refused out of order', () => {
    expect(markWords('NAME1 and NAME2', ['NAME2', 'NAME1'])).toEqual({
      problem: 'the word "NAME1" is not found from here on',
      position: 16,
    });
  });
});
