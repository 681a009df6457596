import { framePowers } from './frame-powers.js';

/** 20 ms: what is looked at as one. */
const frameSeconds = 0.02;
/** Stretches shorter than this would be heard as a flutter when they are repeated. */
const shortestSeconds = 0.06;
const fadeSeconds = 0.02;
/** How far above the quietest frames a frame may be and still count as the room. */
const roomRangeDb = 6;

/** Reads interleaved sound of the base, full scale = 1, from sample `start` on. */
export type ReadSound = (start: number, samples: number) => Promise<Float32Array>;

/**
 * What is heard where nobody speaks, for as long as it is asked for: the quiet stretches of a recording one after
 * another, in an order that does not repeat, cross-faded at equal power. Silence where the recording has none.
 *
 * @param quiet samples from and to, as {@link quietStretches} finds them
 * @returns interleaved, `samples` a channel
 */
export async function roomTone(
  read: ReadSound,
  quiet: readonly (readonly [number, number])[],
  { channels, sampleRate, samples }: { channels: number; sampleRate: number; samples: number },
): Promise<Float32Array> {
  const tone = new Float32Array(samples * channels);
  if (quiet.length === 0) return tone;
  const fade = Math.round(fadeSeconds * sampleRate);
  let at = 0;
  for (let turn = 0; at < samples; turn += 1) {
    // Steps by the golden ratio visit all of them and come back to none too soon.
    const [start, end] = quiet[Math.floor(((turn * 0.618034) % 1) * quiet.length)] ?? [0, 0];
    const length = end - start;
    const stretch = await read(start, Math.min(length, samples - at));
    for (let n = 0; n < stretch.length / channels; n += 1) {
      const rise = at === 0 ? 1 : Math.min(1, (n + 0.5) / fade);
      const fall = Math.min(1, (length - n - 0.5) / fade);
      const gain = Math.sin((Math.PI / 2) * Math.min(rise, fall));
      for (let channel = 0; channel < channels; channel += 1) {
        const place = (at + n) * channels + channel;
        tone[place] = (tone[place] ?? 0) + gain * (stretch[n * channels + channel] ?? 0);
      }
    }
    at += Math.max(1, length - fade);
  }
  return tone;
}

/** Runs of quiet frames that are long enough to be repeated, in samples from and to. */
export function quietStretches(
  recording: Float32Array,
  channels: number,
  sampleRate: number,
): [number, number][] {
  const frame = Math.round(frameSeconds * sampleRate);
  // Of both channels together, which has as many values a frame as there are channels.
  const powers = framePowers(recording, frame * channels);
  const floor = powers.slice().sort()[Math.floor(powers.length * 0.05)] ?? 0;
  const limit = Math.max(1e-10, floor * 10 ** (roomRangeDb / 10));
  const runs: [number, number][] = [];
  let begun: number | undefined;
  for (const [index, power] of [...powers, Infinity].entries()) {
    if (power <= limit) begun ??= index;
    else if (begun !== undefined) {
      runs.push([begun * frame, index * frame]);
      begun = undefined;
    }
  }
  return runs.filter(([start, end]) => end - start >= shortestSeconds * sampleRate);
}
