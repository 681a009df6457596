import { open } from 'node:fs/promises';
import { frameSamples, primingSamples, type AacStream } from '../aac/adts.js';
import { encodeStretch } from '../aac/encode-stretch.js';
import { framesAround, spliceStretch, StretchesApartError } from '../aac/stretch.js';
import type { FfmpegTools } from '../ffmpeg/run.js';
import type { Movie, Track } from '../mp4/movie.js';
import type { Replacement } from '../mp4/track-edits.js';
import type { WavWindow } from './wav-window.js';

/** New sound in place of a part of the base's. */
export interface SoundEdit {
  /** Samples of the base that give way, from the first that is presented. */
  start: number;
  end: number;
  /** Interleaved, full scale = 1, in the base's rate and channels. Longer or shorter only by whole AAC frames. */
  pcm: Float32Array;
}

export interface SpliceSoundInput {
  /** The prepared base and its index. */
  path: string;
  movie: Movie;
  /** The base's sound as it decodes. */
  sound: WavWindow;
  bitsPerSecond: number;
  edits: readonly SoundEdit[];
  signal?: AbortSignal;
}

/** Frames of the base on both sides of a changed stretch among which a join is looked for. */
const joinFrames = 6;

/**
 * Encodes what the edits change, and a few frames around, and says which frames of the base's sound they replace.
 * What lies further away is not touched.
 * @throws StretchesApartError when the base's own sound cannot be joined to ours: it must be encoded by us first.
 */
export async function spliceSound(
  tools: FfmpegTools,
  { path, movie, sound, bitsPerSecond, edits, signal }: SpliceSoundInput,
): Promise<Replacement[]> {
  const track = movie.tracks.find(({ kind }) => kind === 'audio');
  if (track === undefined) throw new Error('the base has no sound');
  const merged = await mergeNear(edits, sound);
  const base = { path, track, sound, bitsPerSecond, ...(signal === undefined ? {} : { signal }) };
  return Promise.all(merged.map((edit) => spliceEdit(tools, base, edit, widenings)));
}

interface SplicedBase {
  path: string;
  track: Track;
  sound: WavWindow;
  bitsPerSecond: number;
  signal?: AbortSignal;
}

/** Frames of the base on either side that are encoded along when a join is not found next to the edit. */
const widenings = [0, 3, 7, 13];

async function spliceEdit(
  tools: FfmpegTools,
  base: SplicedBase,
  edit: SoundEdit,
  [wider = 0, ...more]: readonly number[],
): Promise<Replacement> {
  const { path, track, sound, bitsPerSecond, signal } = base;
  const { channels, sampleRate } = sound;
  const growth = edit.pcm.length / channels - (edit.end - edit.start);
  if (growth % frameSamples !== 0) throw new RangeError('sound grows by whole frames only');
  // Frames count from the one that our encoder's delay fills; another encoder's delay shifts all alike.
  const shift = track.startsAt - primingSamples;
  const around = framesAround(edit.start + shift, edit.end + shift);
  const from = Math.max(0, around.from - wider);
  const to = Math.min(track.sampleCount, around.to + wider);
  const [first, last] = [Math.max(0, from - joinFrames), Math.min(track.samples.length, to + joinFrames)];
  const stretch = await encodeStretch(tools, {
    ...{ sampleRate, channels, bitsPerSecond, from, to: to + growth / frameSamples },
    read: async (start, target) => {
      target.set(await readEdited(sound, edit, start - shift, target.length / channels));
    },
    ...(signal === undefined ? {} : { signal }),
  });
  const own: AacStream = { sampleRate, channels, frames: await readFrames(path, track, first, last) };
  try {
    const { frames } = spliceStretch(own, { from: from - first, to: to - first }, stretch);
    const duration = (frameSamples * track.timescale) / sampleRate;
    // A base's last frame may be cut short, and goes on being so.
    const cut = last === track.samples.length ? track.samples.at(-1)?.duration : undefined;
    const samples = frames.map((data, index) => ({
      ...{ data, compositionOffset: 0, isSync: true },
      duration: index === frames.length - 1 ? (cut ?? duration) : duration,
    }));
    return { kind: 'audio', from: first, to: last, samples };
  } catch (error) {
    if (!(error instanceof StretchesApartError) || more.length === 0) throw error;
    return spliceEdit(tools, base, edit, more);
  }
}

/** The base's samples with one edit made, in the time of the result. */
async function readEdited(
  sound: WavWindow,
  { start, end, pcm }: SoundEdit,
  from: number,
  count: number,
): Promise<Float32Array> {
  const { channels } = sound;
  const newEnd = start + pcm.length / channels;
  const target = new Float32Array(count * channels);
  const before = Math.max(0, Math.min(count, start - from));
  if (before > 0) target.set(await sound.read(from, before));
  const [pcmFrom, pcmTo] = [Math.max(from, start), Math.min(from + count, newEnd)];
  if (pcmTo > pcmFrom) {
    target.set(
      pcm.subarray((pcmFrom - start) * channels, (pcmTo - start) * channels),
      (pcmFrom - from) * channels,
    );
  }
  const afterFrom = Math.max(from, newEnd);
  const after = from + count - afterFrom;
  if (after > 0) target.set(await sound.read(afterFrom - newEnd + end, after), (afterFrom - from) * channels);
  return target;
}

/** Edits so near to one another that they would encode the same frames become one. */
async function mergeNear(edits: readonly SoundEdit[], sound: WavWindow): Promise<SoundEdit[]> {
  const merged: SoundEdit[] = [];
  for (const edit of edits.toSorted((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (
      last === undefined ||
      edit.start - last.end > (2 * (joinFrames + Math.max(...widenings)) + 4) * frameSamples
    ) {
      merged.push(edit);
      continue;
    }
    if (edit.start < last.end) throw new RangeError('spans overlap');
    const between = await sound.read(last.end, edit.start - last.end);
    const pcm = new Float32Array(last.pcm.length + between.length + edit.pcm.length);
    pcm.set(last.pcm);
    pcm.set(between, last.pcm.length);
    pcm.set(edit.pcm, last.pcm.length + between.length);
    merged[merged.length - 1] = { start: last.start, end: edit.end, pcm };
  }
  return merged;
}

async function readFrames(path: string, track: Track, from: number, to: number): Promise<Buffer[]> {
  const file = await open(path, 'r');
  try {
    const frames: Buffer[] = [];
    for (const { offset, bytes } of track.samples.slice(from, to)) {
      const frame = Buffer.alloc(bytes);
      await file.read(frame, 0, bytes, offset);
      frames.push(frame);
    }
    return frames;
  } finally {
    await file.close();
  }
}
