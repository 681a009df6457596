import { describe, expect, it } from 'vitest';
import { bulletCues } from '../../activities/media/pictures/bullet-cues.js';

const wordAt = (narration: string, index: number | null | undefined) => narration.split(/\s+/)[index ?? -1];

describe('bullets come in', () => {
  const narration =
    'Deep below, magma rises because it is lighter than the rock around it. On its way up the dissolved gases ' +
    'expand, like in a shaken bottle. When pressure wins, cracks are opening and the mountain erupts.';

  it('when the narration reaches them, also in another grammatical form', () => {
    const bullets = ['Magma is lighter than rock', 'Dissolved gas expands', 'Cracks open'];
    const cues = bulletCues(narration, bullets, 'en');
    expect(wordAt(narration, cues[0])).toBe('magma');
    expect(wordAt(narration, cues[1])).toBe('dissolved');
    expect(wordAt(narration, cues[2])).toBe('cracks');
  });

  it('in their turn when they are not spoken of', () => {
    const bullets = ['Magma is lighter than rock', 'Zebra quagga xylophone', 'Cracks open'];
    const [first, second, third] = bulletCues(narration, bullets, 'en');
    expect(second).toBeGreaterThan(first ?? Infinity);
    expect(second).toBeLessThan(third ?? -1);
    const none = bulletCues('one two three four five six seven eight nine ten', ['xx', 'yy', 'zz'], 'en');
    expect(none).toEqual([...none].sort((a, b) => (a ?? 0) - (b ?? 0)));
    for (const cue of none) expect(cue).toBeLessThan(10);
  });

  it('by the words of any script, numbered as the voice numbers them', () => {
    const hindi = 'मैग्मा ऊपर उठता है क्योंकि वह हल्का है। फिर दरारें खुलती हैं।';
    expect(wordAt(hindi, bulletCues(hindi, ['दरारें खुलती हैं'], 'hi')[0])).toBe('दरारें');
    const dashed = 'First — second thing — then the third appears';
    // The voice counts a dash with the word before it.
    expect(bulletCues(dashed, ['third appears'], 'en')).toEqual([5]);
    expect(bulletCues('マグマは上昇する。そして噴火する。', ['噴火'], 'ja')[0]).toBeGreaterThan(2);
  });

  it('from the start when there is no narration', () => {
    expect(bulletCues('', ['a', 'b'], 'en')).toEqual([null, null]);
    expect(bulletCues('  \n', ['a'], 'en')).toEqual([null]);
  });
});
