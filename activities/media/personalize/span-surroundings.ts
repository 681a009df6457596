import type { PlacedSpan, SpanSurroundings } from '../../../workflows/contract/personalized.js';
import { framePowers, mixedDown, onlyChannel, speechPower } from './frame-powers.js';
import { longTermSpectrum } from './long-term-spectrum.js';
import { quietStretches } from './room-tone.js';
import type { WavWindow } from './wav-window.js';

/** Speech around a span that shows how the new words must sound. */
const neighbourSeconds = 4;
/** Of the base's sound into the room and back: short enough to leave its words alone. */
const crossfadeSeconds = 0.012;
/** Longest pause that is looked for. */
const longestPauseSeconds = 1.5;
const frameSeconds = 0.01;
/** Above the room and below speech. */
const speechDb = 12;

type Borders = Pick<PlacedSpan, 'startSample' | 'endSample'>;

/**
 * Listens around each of a base's spans, once for all recipients.
 * @param spans in their order
 */
export async function listenAround(sound: WavWindow, spans: readonly Borders[]): Promise<SpanSurroundings[]> {
  const surroundings: SpanSurroundings[] = [];
  for (const [index, span] of spans.entries()) {
    surroundings.push(await listen(sound, span, { before: spans[index - 1], after: spans[index + 1] }));
  }
  return surroundings;
}

async function listen(
  sound: WavWindow,
  { startSample, endSample }: Borders,
  { before, after }: { before: Borders | undefined; after: Borders | undefined },
): Promise<SpanSurroundings> {
  const { sampleRate, channels, samples } = sound;
  const around = Math.round(neighbourSeconds * sampleRate);
  const from = Math.max(0, startSample - around);
  const context = await sound.read(from, Math.min(samples, endSample + around) - from);
  const crossfade = Math.round(crossfadeSeconds * sampleRate);
  const within = (room: number) => Math.max(0, Math.min(crossfade, Math.floor(room)));
  const pause = pauseFrom(endSample - from, context, { channels, sampleRate });
  return {
    speechSpectrum: longTermSpectrum(mixedDown(context, channels), sampleRate),
    speechPowers: Array.from({ length: channels }, (_, channel) =>
      speechPower(onlyChannel(context, channels, channel), sampleRate),
    ),
    quiet: quietStretches(context, channels, sampleRate).map(([start, end]) => [from + start, from + end]),
    // Two spans share what is between them, or both would change the same samples.
    crossfadeBefore: within(before === undefined ? startSample : (startSample - before.endSample) / 2),
    crossfadeAfter: within(after === undefined ? samples - endSample : (after.startSample - endSample) / 2),
    pauseSamples:
      after === undefined
        ? pause
        : Math.max(0, Math.min(pause, after.startSample - endSample - 2 * crossfade)),
  };
}

/**
 * Samples from `from` on in which nobody speaks in any channel: the frames that are hardly louder than the quietest
 * ones around.
 */
function pauseFrom(
  from: number,
  context: Float32Array,
  { channels, sampleRate }: { channels: 1 | 2; sampleRate: number },
): number {
  const frame = Math.round(frameSeconds * sampleRate);
  const powers = Array.from({ length: channels }, (_, channel) => {
    const mono = onlyChannel(context, channels, channel);
    const sorted = framePowers(mono, frame).sort();
    const floor = sorted[Math.floor(sorted.length * 0.05)] ?? 0;
    const limit = Math.max(1e-8, floor * 10 ** (speechDb / 10));
    return { limit, behind: framePowers(mono.subarray(from), frame) };
  });
  const longest = Math.floor((longestPauseSeconds * sampleRate) / frame);
  const frames = Math.min(longest, ...powers.map(({ behind }) => behind.length));
  for (let index = 0; index < frames; index += 1) {
    if (powers.some(({ behind, limit }) => (behind[index] ?? 0) > limit)) return index * frame;
  }
  return frames * frame;
}
