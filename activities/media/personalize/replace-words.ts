import type { SpanSurroundings } from '../../../workflows/contract/personalized.js';
import { speechPower } from './frame-powers.js';
import { matchSpectrum } from './match-spectrum.js';
import { roomTone } from './room-tone.js';
import type { SoundEdit } from './splice-sound.js';
import type { WavWindow } from './wav-window.js';

/** Of the new words themselves, so that they do not click. */
const wordFadeSeconds = 0.005;
const mostGainDb = 18;
const loudestPeak = 0.97;

export interface WordsInPlace {
  /** The base's sound and what is heard around the span. */
  sound: WavWindow;
  surroundings: SpanSurroundings;
  /** The base's samples whose words are replaced. */
  start: number;
  end: number;
  /** New words at the base's rate, mono, full scale = 1. Empty for none: the room alone. */
  words: Float32Array;
  /** Samples that take the span's place; the words begin with them and must not be longer. */
  samples: number;
}

/**
 * Puts new words in the place of a span: in the colour and at the level of the speech around them, on the room's own
 * tone, with short equal-power fades at the borders. Nothing else of the base changes.
 *
 * @returns the edit, which reaches a crossfade beyond the span on either side.
 */
export async function replaceWords(place: WordsInPlace): Promise<SoundEdit> {
  const { sound, surroundings, start, end, words, samples } = place;
  const { channels, sampleRate } = sound;
  if (words.length > samples) throw new RangeError('the words are longer than their place');
  const lead = surroundings.crossfadeBefore;
  const tail = Math.min(surroundings.crossfadeAfter, sound.samples - end);
  const total = lead + samples + tail;
  const read = (from: number, count: number) => sound.read(from, count);
  const [pcm, before, after] = await Promise.all([
    roomTone(read, surroundings.quiet, { channels, sampleRate, samples: total }),
    read(start - lead, lead),
    read(end, tail),
  ]);
  for (let n = 0; n < lead; n += 1) crossfade(pcm, n, before, n, { channels, part: (n + 0.5) / lead });
  for (let n = 0; n < tail; n += 1) {
    crossfade(pcm, lead + samples + n, after, n, { channels, part: 1 - (n + 0.5) / tail });
  }
  if (words.length > 0) addWords(pcm, lead, place);
  return { start: start - lead, end: end + tail, pcm };
}

/** `part` 0 is the base alone, 1 the room alone. */
function crossfade(
  pcm: Float32Array,
  index: number,
  base: Float32Array,
  baseIndex: number,
  { channels, part }: { channels: number; part: number },
): void {
  const [keep, room] = [Math.cos((Math.PI / 2) * part), Math.sin((Math.PI / 2) * part)];
  for (let channel = 0; channel < channels; channel += 1) {
    const place = index * channels + channel;
    pcm[place] = keep * (base[baseIndex * channels + channel] ?? 0) + room * (pcm[place] ?? 0);
  }
}

function addWords(pcm: Float32Array, offset: number, { sound, surroundings, words }: WordsInPlace): void {
  const { channels, sampleRate } = sound;
  const coloured = matchSpectrum(words, surroundings.speechSpectrum, sampleRate);
  const own = speechPower(coloured, sampleRate);
  const fade = Math.max(1, Math.round(wordFadeSeconds * sampleRate));
  for (let channel = 0; channel < channels; channel += 1) {
    const gain = boundedGain(surroundings.speechPowers[channel] ?? 0, own, coloured);
    coloured.forEach((sample, n) => {
      const ramp = Math.min(1, (n + 0.5) / fade, (coloured.length - n - 0.5) / fade);
      const index = (offset + n) * channels + channel;
      pcm[index] = (pcm[index] ?? 0) + gain * ramp * sample;
    });
  }
}

/** A base without speech around the span leaves the words at their own level. */
function boundedGain(wanted: number, own: number, words: Float32Array): number {
  if (own === 0 || wanted === 0) return 1;
  const limit = 10 ** (mostGainDb / 20);
  const gain = Math.min(limit, Math.max(1 / limit, Math.sqrt(wanted / own)));
  const peak = words.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  return Math.min(gain, loudestPeak / Math.max(1e-9, peak));
}
