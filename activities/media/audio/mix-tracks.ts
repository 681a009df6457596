import { open } from 'node:fs/promises';
import { duckingGains, duckingStep } from './ducking.js';
import { applyGains } from './gains.js';
import { createMixMeter, type MixLevels } from './mix-levels.js';
import { openLoop, type LoopFile } from './music-loop.js';
import { blockSamples, bytesOf, openFloats, type FloatFile } from './pcm-file.js';

export interface MixInput {
  /** Length of the result in samples at 48 kHz. */
  samples: number;
  /** Raw mono 32-bit floats, the voices at `loudnessLufs`; null for a video without a voice. */
  speech: string | null;
  loudnessLufs: number;
  music: (LoopFile & { loudnessLufs: number; gainDb: number; duck: boolean }) | null;
  /** Raw stereo 32-bit floats are written here. */
  target: string;
  signal: AbortSignal;
}

/** How far below the speech the music plays while nobody speaks; the ducking takes it lower still. */
const musicBelowSpeechDb = 9;

const fadeInSamples = 24_000;
const fadeOutSamples = 120_000;

/**
 * Mixes the voices' track with looped music, ducked by the voices themselves and faded in and out.
 * @returns the levels of the mix, by which it is mastered.
 */
export async function mixTracks(input: MixInput): Promise<MixLevels> {
  const { samples, signal } = input;
  const speech = input.speech === null ? null : await openFloats(input.speech);
  const music = input.music === null ? null : await openLoop(input.music);
  const target = await open(input.target, 'w');
  try {
    const isDucked = speech !== null && input.music?.duck === true;
    const bed = bedGains(input, isDucked ? await listen(speech, samples, signal) : null);
    const meter = createMixMeter(samples, 2);
    const [voice, stereo] = [new Float32Array(blockSamples), new Float32Array(2 * blockSamples)];
    for (let start = 0; start < samples; start += blockSamples) {
      signal.throwIfAborted();
      const mix = stereo.subarray(0, 2 * Math.min(blockSamples, samples - start));
      if (music === null) mix.fill(0);
      else {
        await music.read(start, mix);
        applyGains(mix, bed, start, duckingStep);
      }
      if (speech !== null) {
        await speech.read(start, voice);
        addVoice(mix, voice);
      }
      meter.add(mix);
      await target.writeFile(bytesOf(mix));
    }
    return meter.levels();
  } finally {
    await Promise.all([speech?.close(), music?.close(), target.close()]);
  }
}

function addVoice(mix: Float32Array, voice: Float32Array): void {
  for (let n = 0; n < mix.length; n += 2) {
    const sample = voice[n >> 1] ?? 0;
    mix[n] = (mix[n] ?? 0) + sample;
    mix[n + 1] = (mix[n + 1] ?? 0) + sample;
  }
}

/** The voices' level in every step of the ducking. */
async function listen(speech: FloatFile, samples: number, signal: AbortSignal): Promise<Float32Array> {
  const levels = new Float32Array(Math.ceil(samples / duckingStep));
  const block = new Float32Array(blockSamples);
  for (let start = 0; start < samples; start += blockSamples) {
    signal.throwIfAborted();
    await speech.read(start, block);
    const count = Math.min(blockSamples, samples - start);
    for (let from = 0; from < count; from += duckingStep) {
      levels[(start + from) / duckingStep] = rootMeanSquare(block, from, from + duckingStep);
    }
  }
  return levels;
}

function rootMeanSquare(pcm: Float32Array, from: number, to: number): number {
  let sum = 0;
  for (let n = from; n < to; n += 1) sum += (pcm[n] ?? 0) ** 2;
  return Math.sqrt(sum / (to - from));
}

/** The music's gain at the ends of each step: its level, ducking and fades. */
function bedGains({ samples, music, loudnessLufs }: MixInput, levels: Float32Array | null): Float32Array {
  const steps = Math.ceil(samples / duckingStep);
  const gains = new Float32Array(steps + 1);
  if (music === null) return gains;
  const level = factorTo(loudnessLufs - musicBelowSpeechDb, music.loudnessLufs) * 10 ** (music.gainDb / 20);
  const ducking = levels && duckingGains(levels);
  const fadeIn = Math.min(fadeInSamples, samples / 4);
  const fadeOut = Math.min(fadeOutSamples, samples / 4);
  for (let step = 0; step <= steps; step += 1) {
    const place = Math.min(samples, step * duckingStep);
    const fades = eased(place / fadeIn) * eased((samples - place) / fadeOut);
    gains[step] = level * fades * (ducking?.[Math.min(step, steps - 1)] ?? 1);
  }
  return gains;
}

/** From 0 to 1 without a corner at either end. */
const eased = (share: number) => 0.5 - 0.5 * Math.cos(Math.PI * Math.min(1, share));

/** The factor from one level to another; silence is left alone. */
function factorTo(targetLufs: number, measuredLufs: number): number {
  return Number.isFinite(measuredLufs) ? 10 ** (Math.min(40, targetLufs - measuredLufs) / 20) : 1;
}
