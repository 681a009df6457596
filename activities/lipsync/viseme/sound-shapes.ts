import { leadSeconds } from './coarticulation.js';
import { restShape, type MouthShape } from './mouth-shapes.js';
import { smoothed } from './smoothing.js';

/** Half of the time around a moment that is listened to, and the speech's dynamics that count, decibels. */
const halfWindowSeconds = 0.02;
const rangeDb = 30;

/** Loudness around a moment, 0 (30 dB under the loudest) to 1. */
export function loudnessOf(pcm: Int16Array, rate: number): (seconds: number) => number {
  const half = Math.round(halfWindowSeconds * rate);
  const powerAt = (middle: number) => {
    let sum = 0;
    const from = Math.max(0, middle - half);
    const to = Math.min(pcm.length, middle + half);
    for (let n = from; n < to; n++) sum += (pcm[n] ?? 0) ** 2;
    return to > from ? sum / (to - from) : 0;
  };
  let loudest = 1;
  for (let n = half; n < pcm.length; n += half) loudest = Math.max(loudest, powerAt(n));
  return (seconds) => {
    const decibels = 10 * Math.log10((powerAt(Math.round(seconds * rate)) + 1e-9) / loudest);
    return Math.min(1, Math.max(0, 1 + decibels / rangeDb));
  };
}

/**
 * Mouth shapes from the sound alone: loud is open, and where little of the sound lies above 1 kHz, as in [u] and [o], lips
 * are round; hissing shows teeth. Rough, but it moves with the speech.
 * @param times seconds of the frames' middles.
 */
export function shapesOfSound(pcm: Int16Array, rate: number, times: readonly number[]): MouthShape[] {
  const loudness = loudnessOf(pcm, rate);
  const open = smoothed(
    times.map((time) => loudness(time + leadSeconds)),
    1,
  );
  return times.map((time, n) => {
    const voice = Math.min(1, Math.max(0, ((open[n] ?? 0) - 0.25) / 0.75));
    const bright = brightness(pcm, rate, time + leadSeconds);
    const hiss = bright > 0.75 ? 1 : 0;
    const round = Math.max(0, 1 - bright / 0.16) * voice;
    const gap = voice * (hiss === 1 ? 4 : 11 - 5 * round);
    return { ...restShape, gap, jaw: gap * (hiss === 1 ? 0.2 : 0.65), round, width: 1.5 * voice - 6 * round };
  });
}

/** Share of the energy in the differences between samples, which grows with frequency; 0 dull, 1 hissing. */
function brightness(pcm: Int16Array, rate: number, seconds: number): number {
  const half = Math.round(halfWindowSeconds * rate);
  const middle = Math.round(seconds * rate);
  // Differences over 0.15 ms: a tone of 3.3 kHz counts four times its energy.
  const lag = Math.max(1, Math.round(rate * 0.00015));
  let energy = 1;
  let difference = 0;
  for (let n = Math.max(lag, middle - half); n < Math.min(pcm.length, middle + half); n++) {
    energy += (pcm[n] ?? 0) ** 2;
    difference += ((pcm[n] ?? 0) - (pcm[n - lag] ?? 0)) ** 2;
  }
  return Math.min(1, difference / energy / 1.5);
}
