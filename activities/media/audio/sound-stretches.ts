import type { ArtifactId } from '../../../workflows/contract/documents.js';
import type { ArtifactStore } from '../../artifacts.js';
import { lookUp, type CacheName, type GenerationCache } from '../../cached.js';
import { transientFailure } from '../../failures.js';
import { frameSamples, readAdts, writeAdts } from '../aac/adts.js';
import { contextFrames, decodeAac, encodeStretch } from '../aac/encode-stretch.js';
import { partOf, type AacStretch } from '../aac/stretch.js';
import type { FfmpegTools } from '../ffmpeg/run.js';
import type { LimitedMix } from './limited-mix.js';
import { limiterStep } from './limiter.js';
import { stretchPeaks } from './stretch-peaks.js';

export interface SoundStretchDeps {
  artifacts: Pick<ArtifactStore, 'publishBytes' | 'readBytes'>;
  cache: GenerationCache;
  tools: FfmpegTools;
}

export interface StretchesInput {
  mix: LimitedMix;
  /** The limiter's gains below a ceiling in dB that may differ from step to step. */
  gainsBelow: (ceilingDbAt: (step: number) => number) => Float32Array;
  ceilingDb: number;
  /** No stretch may exceed this once it is decoded. */
  truePeakDbtp: number;
  /** See {@link import('./stretch-cuts.js').stretchCuts}. */
  cuts: readonly number[];
  dir: string;
  signal: AbortSignal;
}

interface Stretch {
  from: number;
  to: number;
  name: CacheName;
}

interface Kept {
  frames: ArtifactId;
  leading: number;
  trailing: number;
}

/** Raised when the same samples are encoded differently. */
const version = 1;
const mostPasses = 4;
const bitsPerSecond = 160_000;
const stereo = { sampleRate: 48_000, channels: 2 } as const;

/**
 * The stretches between the cuts, encoded, in order. One that was encoded before, in this sound or another, is
 * taken from the cache; those next to each other that are missing are encoded in one go.
 * @throws ApplicationFailure `audio_mastering_failed` when a stretch stays too loud.
 */
export async function encodeStretches(deps: SoundStretchDeps, input: StretchesInput): Promise<AacStretch[]> {
  const gains = input.gainsBelow(() => input.ceilingDb);
  const stretches: Stretch[] = [];
  for (const [index, from] of input.cuts.slice(0, -1).entries()) {
    const to = input.cuts[index + 1] ?? from;
    // The neighbouring sound counts, because it is encoded along.
    const pcm = await input.mix.hash(gains, from - contextFrames, to + contextFrames);
    const inputs = { pcm, frames: to - from, bitsPerSecond };
    stretches.push({ from, to, name: { activity: 'encode_sound', version, inputs } });
  }
  const found = await Promise.all(stretches.map((stretch) => find(deps, stretch, input.signal)));
  for (let first = 0; first < stretches.length; first += 1) {
    if (found[first] !== null) continue;
    let after = first + 1;
    while (after < stretches.length && found[after] === null) after += 1;
    const made = await encodeRun(deps, input, stretches.slice(first, after));
    found.splice(first, made.length, ...made);
  }
  return found.filter((stretch) => stretch !== null);
}

async function find(
  { cache, artifacts }: SoundStretchDeps,
  { name }: Stretch,
  signal: AbortSignal,
): Promise<AacStretch | null> {
  const kept = await lookUp<Kept>(cache, name, signal);
  if (kept === undefined) return null;
  const { frames, leading, trailing } = kept;
  return { ...readAdts(await artifacts.readBytes(frames)), leading, trailing };
}

/** Encodes stretches that follow upon one another, and again with a lower ceiling where one came out too loud. */
async function encodeRun(
  deps: SoundStretchDeps,
  input: StretchesInput,
  run: readonly Stretch[],
): Promise<AacStretch[]> {
  const { mix, dir, signal, truePeakDbtp } = input;
  const [from, to] = [run[0]?.from ?? 0, run.at(-1)?.to ?? 0];
  const ceilings = run.map(() => input.ceilingDb);
  const ceilingAt = (step: number) => {
    // Frames are counted from the priming on: a frame's index is one more than that of the samples it ends with.
    const frame = Math.floor((step * limiterStep) / frameSamples) + 1;
    return (
      ceilings[run.findIndex((stretch) => frame >= stretch.from && frame < stretch.to)] ?? input.ceilingDb
    );
  };
  for (let pass = 1; pass <= mostPasses; pass += 1) {
    const gains = input.gainsBelow(ceilingAt);
    const read = (start: number, target: Float32Array) => mix.read(gains, start, target);
    const encoded = await encodeStretch(deps.tools, { ...stereo, from, to, read, bitsPerSecond, signal });
    const parts = run.map((stretch) => partOf(encoded, stretch.from - from, stretch.to - from));
    const decoded = `${dir}/decoded.f32`;
    await decodeAac(deps.tools, encoded, decoded, signal);
    const peaks = await stretchPeaks(decoded, parts);
    const overs = peaks.map((peak) => peak - truePeakDbtp);
    if (overs.every((over) => over <= 0)) {
      return Promise.all(parts.map((part, n) => keep(deps, run[n], part, signal)));
    }
    overs.forEach((over, n) => {
      if (over > 0) ceilings[n] = (ceilings[n] ?? 0) - over - 0.15;
    });
  }
  throw transientFailure({
    code: 'audio_mastering_failed',
    detail: 'The peaks of the sound could not be kept below their limit.',
  });
}

async function keep(
  { cache, artifacts }: SoundStretchDeps,
  stretch: Stretch | undefined,
  part: AacStretch,
  signal: AbortSignal,
): Promise<AacStretch> {
  if (stretch === undefined) throw new RangeError('a part without a stretch');
  await cache.through<Kept>(
    stretch.name,
    async () => {
      const frames = await artifacts.publishBytes(writeAdts(part), 'aac');
      const { leading, trailing } = part;
      return { value: { frames, leading, trailing }, artifacts: [frames] };
    },
    signal,
  );
  return part;
}
