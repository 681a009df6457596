/**
 * How a mouth looks for each sound: lips and jaw in millimetres of an adult's face, against the mouth at rest.
 * Sizes follow measurements of conversational speech (lip opening of open vowels 10–15 mm, corners ± 5 mm, jaw some
 * two thirds of the lips; e.g. Vatikiotis-Bateson and Ostry 1995), groups the usual ones of viseme tables.
 */
export interface MouthShape {
  /** Distance of the lips' inner rims in the middle, mm. */
  gap: number;
  /** How far the chin goes down, mm. */
  jaw: number;
  /** Change of the distance of the corners, mm. */
  width: number;
  /** 0–1: lips pushed forward and rounded. */
  round: number;
  /** 0–1: lips pressed on each other. */
  press: number;
  /** 0–1: the lower lip under the upper teeth. */
  tuck: number;
  /** 0–1: how much of the tongue shows. */
  tongue: number;
}

export const mouthParameters = ['gap', 'jaw', 'width', 'round', 'press', 'tuck', 'tongue'] as const;

export type MouthParameter = (typeof mouthParameters)[number];

export const restShape: MouthShape = { gap: 0, jaw: 0, width: 0, round: 0, press: 0, tuck: 0, tongue: 0 };

/** How strongly a sound insists on its own shape against its neighbours'. */
export type Insistence = 'closed' | 'strong' | 'vowel' | 'weak';

export interface Viseme {
  shape: MouthShape;
  insistence: Insistence;
}

const viseme = (insistence: Insistence, shape: Partial<MouthShape>): Viseme => ({
  insistence,
  shape: { ...restShape, ...shape },
});

const bilabial = viseme('closed', { gap: 0, jaw: 1, press: 1 });
const labiodental = viseme('strong', { gap: 2.2, jaw: 1, tuck: 1, width: 1 });
const bilabialApproximant = viseme('strong', { gap: 2, jaw: 2, round: 1, width: -7 });
const dental = viseme('strong', { gap: 4.5, jaw: 2.5, tongue: 1 });
const alveolar = viseme('weak', { gap: 4, jaw: 1.5, width: 1.5, tongue: 0.4 });
const sibilant = viseme('strong', { gap: 4, jaw: 0.5, width: 2 });
const postalveolar = viseme('strong', { gap: 5, jaw: 1, round: 0.6, width: -4 });
const rhotic = viseme('weak', { gap: 4.5, jaw: 2, round: 0.4, width: -2.5 });
const lateral = viseme('weak', { gap: 6, jaw: 3.5, tongue: 0.8 });
const palatal = viseme('weak', { gap: 4.5, jaw: 1.5, width: 3 });
const back = viseme('weak', { gap: 5.5, jaw: 3, width: 0 });

const groups: readonly (readonly [symbols: string, viseme: Viseme])[] = [
  ['p b m ɓ', bilabial],
  ['f v ɱ ʋ', labiodental],
  ['w ʍ β ɸ ɥ', bilabialApproximant],
  ['θ ð', dental],
  ['t d n ʈ ɖ ɳ ɗ ɾ', alveolar],
  ['s z', sibilant],
  ['ʃ ʒ ʂ ʐ ɕ ʑ', postalveolar],
  ['ɹ ɻ r ɽ', rhotic],
  ['l ɫ ɭ ɬ ɮ ʎ ʟ', lateral],
  ['j ɲ c ɟ ç ʝ', palatal],
  ['k g ɡ ŋ x ɣ h ɦ ʔ q ɢ χ ʁ ʀ ħ ʕ ɴ ɠ', back],
  ['a ɑ', viseme('vowel', { gap: 13, jaw: 9, width: 0 })],
  ['æ', viseme('vowel', { gap: 12, jaw: 8, width: 2.5 })],
  ['ɐ ʌ', viseme('vowel', { gap: 9.5, jaw: 6.5 })],
  ['ɒ ɔ', viseme('vowel', { gap: 10, jaw: 7, round: 0.6, width: -4.5 })],
  ['o ɤ', viseme('vowel', { gap: 7.5, jaw: 5, round: 0.85, width: -7 })],
  ['u', viseme('vowel', { gap: 4, jaw: 2.5, round: 1, width: -9 })],
  ['ʊ ɯ ʉ ɵ', viseme('vowel', { gap: 5, jaw: 3.5, round: 0.7, width: -5.5 })],
  ['y ʏ', viseme('vowel', { gap: 4, jaw: 2, round: 0.9, width: -7 })],
  ['ø œ ɶ', viseme('vowel', { gap: 6.5, jaw: 4, round: 0.7, width: -5 })],
  ['i', viseme('vowel', { gap: 5, jaw: 2, width: 5.5 })],
  ['ɪ ɨ ᵻ', viseme('vowel', { gap: 5.5, jaw: 2.5, width: 3 })],
  ['e', viseme('vowel', { gap: 7, jaw: 4, width: 3.5 })],
  ['ɛ', viseme('vowel', { gap: 9, jaw: 6, width: 2 })],
  ['ə ɘ', viseme('vowel', { gap: 6, jaw: 4 })],
  ['ɜ ɚ ɝ ɞ', viseme('vowel', { gap: 6.5, jaw: 4, round: 0.35, width: -2 })],
];

const bySymbol = new Map(
  groups.flatMap(([symbols, shape]) => symbols.split(' ').map((symbol) => [symbol, shape] as const)),
);

/**
 * The shapes that a phoneme goes through, in order: two for a diphthong or an affricate. Length, stress, tone and tie
 * marks do not move lips, a nasal mark does not either; what is unknown is no shape.
 * @param phoneme IPA, e.g. `p`, `oʊ`, `tʃ`, `ɜː`.
 */
export function visemesOf(phoneme: string): Viseme[] {
  const symbols = [...phoneme.normalize('NFD')];
  const found = symbols.flatMap((symbol) => bySymbol.get(symbol) ?? []);
  return found.filter((shape, n) => shape !== found[n - 1]);
}
