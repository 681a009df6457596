import { matchSpectrum } from './match-spectrum.js';
import { roomTone } from './room-tone.js';
import type { SoundEdit } from './splice-sound.js';

/** Speech around a span that shows how the new words must sound. */
const neighbourSeconds = 4;
/** Of the base's sound into the room and back: short enough to leave its words alone. */
const crossfadeSeconds = 0.012;
/** Of the new words themselves, so that they do not click. */
const wordFadeSeconds = 0.005;
const mostGainDb = 18;
const loudestPeak = 0.97;
/** Frames this far below the loudest count as pauses. */
const pauseDb = 26;

export interface WordsInPlace {
  /** Interleaved sound of the base around the span, full scale = 1. */
  context: Float32Array;
  /** Sample of the base with which it begins. */
  contextStart: number;
  channels: 1 | 2;
  sampleRate: number;
  /** The base's samples whose words are replaced. */
  start: number;
  end: number;
  /** New words at the base's rate, mono, full scale = 1. Empty for none: the room alone. */
  words: Float32Array;
  /** Samples that take the span's place; the words begin with them and must not be longer. */
  samples: number;
}

/** Samples around a span that {@link replaceWords} wants to hear, from and to. */
export function contextOf({ start, end, sampleRate }: Pick<WordsInPlace, 'start' | 'end' | 'sampleRate'>) {
  const around = Math.round(neighbourSeconds * sampleRate);
  return { from: Math.max(0, start - around), to: end + around };
}

/**
 * Puts new words in the place of a span: in the colour and at the level of the speech around them, on the room's own
 * tone, with short equal-power fades at the borders. Nothing else of the base changes.
 *
 * @returns the edit, which reaches a crossfade beyond the span on either side.
 */
export function replaceWords(place: WordsInPlace): SoundEdit {
  const { context, contextStart, channels, sampleRate, start, end, words, samples } = place;
  if (words.length > samples) throw new RangeError('the words are longer than their place');
  const fade = Math.round(crossfadeSeconds * sampleRate);
  const first = Math.max(start - fade, contextStart);
  const last = Math.min(end + fade, contextStart + context.length / channels);
  const [lead, tail] = [start - first, last - end];
  const total = lead + samples + tail;

  const pcm = roomTone(context, { channels, sampleRate, samples: total });
  const at = (sample: number, channel: number) => context[(sample - contextStart) * channels + channel] ?? 0;
  for (let n = 0; n < lead; n += 1) {
    crossfade(pcm, n, channels, (n + 0.5) / lead, (channel) => at(first + n, channel));
  }
  for (let n = 0; n < tail; n += 1) {
    const index = lead + samples + n;
    crossfade(pcm, index, channels, 1 - (n + 0.5) / tail, (channel) => at(end + n, channel));
  }
  addWords(pcm, lead, place);
  return { start: first, end: last, pcm };
}

/** `part` 0 is the base alone, 1 the room alone. */
function crossfade(
  pcm: Float32Array,
  index: number,
  channels: number,
  part: number,
  base: (channel: number) => number,
): void {
  const [keep, room] = [Math.cos((Math.PI / 2) * part), Math.sin((Math.PI / 2) * part)];
  for (let channel = 0; channel < channels; channel += 1) {
    const place = index * channels + channel;
    pcm[place] = keep * base(channel) + room * (pcm[place] ?? 0);
  }
}

function addWords(pcm: Float32Array, offset: number, place: WordsInPlace): void {
  const { context, channels, sampleRate, words } = place;
  if (words.length === 0) return;
  const neighbour = mixedDown(context, channels);
  const coloured = matchSpectrum(words, neighbour, sampleRate);
  const own = speechPower(coloured, sampleRate);
  const fade = Math.max(1, Math.round(wordFadeSeconds * sampleRate));
  for (let channel = 0; channel < channels; channel += 1) {
    const wanted = speechPower(onlyChannel(context, channels, channel), sampleRate);
    const gain = boundedGain(wanted, own, coloured);
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

/** Mean power of the 20 ms frames in which somebody speaks. */
function speechPower(mono: Float32Array, sampleRate: number): number {
  const frame = Math.round(0.02 * sampleRate);
  const powers: number[] = [];
  for (let start = 0; start + frame <= mono.length; start += frame) {
    let sum = 0;
    for (let n = start; n < start + frame; n += 1) sum += (mono[n] ?? 0) ** 2;
    powers.push(sum / frame);
  }
  const loudest = powers.reduce((most, power) => Math.max(most, power), 0);
  const sounding = powers.filter((power) => power > 0 && power >= loudest / 10 ** (pauseDb / 10));
  return sounding.length === 0 ? 0 : sounding.reduce((sum, power) => sum + power, 0) / sounding.length;
}

function mixedDown(interleaved: Float32Array, channels: number): Float32Array {
  if (channels === 1) return interleaved;
  return Float32Array.from({ length: interleaved.length / channels }, (_, n) => {
    return ((interleaved[n * 2] ?? 0) + (interleaved[n * 2 + 1] ?? 0)) / 2;
  });
}

function onlyChannel(interleaved: Float32Array, channels: number, channel: number): Float32Array {
  if (channels === 1) return interleaved;
  return Float32Array.from({ length: interleaved.length / channels }, (_, n) => {
    return interleaved[n * channels + channel] ?? 0;
  });
}
