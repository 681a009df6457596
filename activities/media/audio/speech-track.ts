import { open, readFile, type FileHandle } from 'node:fs/promises';
import { invalidInput } from '../../failures.js';
import type { AudioClip } from '../composition.js';
import { levelVoice, type SpeechLevel } from './voice-level.js';
import { readVoiceWav } from './voice-wav.js';

/**
 * Writes all voices onto one mono track of raw 32-bit floats at 48 kHz, each on its very sample, at the same
 * level whoever speaks, with its own gain and short fades. Memory is that of one voice, however many there are.
 * @param fetch path of a clip's artifact on this host.
 * @throws ApplicationFailure `voice_unreadable` when a clip is no mono 48 kHz 16-bit WAV.
 */
export async function writeSpeechTrack(
  path: string,
  samples: number,
  clips: readonly AudioClip[],
  level: SpeechLevel,
  fetch: (clip: AudioClip) => Promise<string>,
  signal?: AbortSignal,
): Promise<void> {
  const track = await open(path, 'w+');
  try {
    // The gaps are a hole in the file, which reads as silence.
    await track.truncate(samples * 4);
    for (const clip of clips) {
      signal?.throwIfAborted();
      const pcm = readVoiceWav(await readFile(await fetch(clip)));
      const count = Math.min(clip.samples, pcm.length, samples - clip.startSample);
      if (clip.startSample < 0 || count < 0) {
        throw invalidInput({ code: 'voice_unreadable', detail: 'A voice lies outside of the video.' });
      }
      await addTo(track, clip.startSample, shaped(pcm.subarray(0, count), clip, level));
    }
  } finally {
    await track.close();
  }
}

/** The clip as floats at its level, faded in and out along a raised cosine. */
function shaped(pcm: Int16Array, { gainDb, fadeSamples }: AudioClip, level: SpeechLevel): Float32Array {
  const fade = Math.min(fadeSamples, Math.floor(pcm.length / 2));
  const floats = new Float32Array(pcm.length);
  for (let n = 0; n < pcm.length; n += 1) floats[n] = (pcm[n] ?? 0) / 32_768;
  levelVoice(floats, level, gainDb);
  for (let n = 0; n < fade; n += 1) {
    const share = 0.5 - 0.5 * Math.cos((Math.PI * (n + 0.5)) / fade);
    const end = floats.length - 1 - n;
    floats[n] = (floats[n] ?? 0) * share;
    floats[end] = (floats[end] ?? 0) * share;
  }
  return floats;
}

/** Adds to what is there already, so that clips may overlap. */
async function addTo(track: FileHandle, startSample: number, clip: Float32Array): Promise<void> {
  const there = new Float32Array(clip.length);
  const bytes = new Uint8Array(there.buffer);
  await track.read(bytes, 0, bytes.length, startSample * 4);
  for (let n = 0; n < clip.length; n += 1) there[n] = (there[n] ?? 0) + (clip[n] ?? 0);
  await track.write(bytes, 0, bytes.length, startSample * 4);
}
