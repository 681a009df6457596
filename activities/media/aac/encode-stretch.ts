import type { Writable } from 'node:stream';
import { transientFailure } from '../../failures.js';
import { ffmpegArguments, fileName, ownInput } from '../ffmpeg/command.js';
import { runFfmpeg, type FfmpegTools } from '../ffmpeg/run.js';
import { bytesOf } from '../audio/pcm-file.js';
import { frameSamples, readAdts, writeAdts, type AacFormat, type AacStream } from './adts.js';
import type { AacStretch } from './stretch.js';

export interface StretchSound extends AacFormat {
  /** Indexes of its frames in a stream that begins with its priming; `to` is the first one after it. */
  from: number;
  to: number;
  /**
   * Fills `target` with interleaved samples from `start` on, full scale = 1. Asked for what lies around the
   * stretch too, up to {@link contextFrames} frames: zeros before the stream's first sample and after its last.
   */
  read(start: number, target: Float32Array): Promise<void>;
  bitsPerSecond: number;
  signal?: AbortSignal;
}

/**
 * Frames of the surroundings that are encoded along. The encoder's choices depend on what it heard last and
 * on what comes next, so that the outer ones do not turn out as they would in a whole stream.
 */
export const contextFrames = 4;
/** Of these so many on both sides are as good as those of a whole stream, and kept for joining. */
const keptFrames = 2;

/** Handed to the encoder at a time. */
const blockFrames = 48;

/**
 * Encodes part of a stream as AAC-LC so that it joins to what is around it: with the neighbouring sound before
 * and after, of which only a few frames are kept. What it depends on is the sound alone, not its place.
 * @throws ApplicationFailure `sound_encoding_failed` for another number of frames, and as `runFfmpeg`.
 */
export async function encodeStretch(tools: FfmpegTools, sound: StretchSound): Promise<AacStretch> {
  const { from, to, sampleRate, channels, signal } = sound;
  const count = to - from + 2 * contextFrames;
  const { stdout } = await runFfmpeg(tools, {
    args: ffmpegArguments({
      inputs: [{ source: 'pipe:0', options: [...ownInput, ...rawFormat(sound)] }],
      outputs: [{ target: 'pipe:1', options: encoderOptions(sound.bitsPerSecond) }],
    }),
    timeoutMs: 120_000 + count * 100,
    ...(signal === undefined ? {} : { signal }),
    writeInput: (stdin) => feed(sound, count, stdin),
    collectOutput: { maxBytes: count * mostFrameBytes },
  });
  const { frames } = readAdts(stdout);
  // The encoder's delay gives one more, the last of which lacks its second half.
  if (frames.length !== count + 1) {
    const detail = `The encoder made ${String(frames.length)} frames of sound where ${String(count + 1)} were due.`;
    throw transientFailure({ code: 'sound_encoding_failed', detail });
  }
  const first = contextFrames - keptFrames;
  // Views of the whole output would keep it in memory.
  const kept = frames
    .slice(first, first + keptFrames + (to - from) + keptFrames)
    .map((frame) => Buffer.from(frame));
  return { sampleRate, channels, frames: kept, leading: keptFrames, trailing: keptFrames };
}

/** A frame of the highest allowed size (6,144 bits a channel) and its header. */
const mostFrameBytes = (2 * 6_144) / 8 + 7;

export const rawFormat = ({ sampleRate, channels }: AacFormat): string[] => [
  ...['-f', 'f32le', '-ar', String(sampleRate), '-ac', String(channels)],
];

function encoderOptions(bitsPerSecond: number): string[] {
  return [
    ...['-c:a', 'aac', '-profile:a', 'aac_low', '-b:a', String(bitsPerSecond)],
    // Intensity stereo costs a voice over music seven decibels of fidelity and saves nothing here. Noise that a
    // decoder makes up would differ on both sides of a join.
    ...['-aac_coder', 'fast', '-aac_is', '0', '-aac_pns', '0'],
    // Otherwise every 256th frame names the encoder.
    ...['-flags:a', '+bitexact', '-fflags', '+bitexact', '-f', 'adts'],
  ];
}

async function feed({ from, channels, read, signal }: StretchSound, count: number, stdin: Writable) {
  const start = (from - contextFrames) * frameSamples;
  const room = new Float32Array(channels * frameSamples * blockFrames);
  for (let frame = 0; frame < count; frame += blockFrames) {
    signal?.throwIfAborted();
    const block = room.subarray(0, channels * frameSamples * (count - frame));
    await read(start + frame * frameSamples, block);
    await write(stdin, block);
  }
}

/** Resolves when the encoder has taken it; an encoder that has ended says why by itself. */
function write(stdin: Writable, pcm: Float32Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stdin.write(bytesOf(pcm), (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/**
 * Decodes a stream to a file of raw interleaved 32-bit floats, {@link frameSamples} for each of its frames: its
 * first frame gives what lies before its first sample, or what cannot be known without the frame before it.
 * @throws as `runFfmpeg`
 */
export async function decodeAac(
  tools: FfmpegTools,
  stream: AacStream,
  target: string,
  signal?: AbortSignal,
): Promise<void> {
  await runFfmpeg(tools, {
    args: ffmpegArguments({
      inputs: [{ source: 'pipe:0', options: [...ownInput, '-f', 'aac'] }],
      outputs: [{ target: fileName(target), options: rawFormat(stream) }],
    }),
    timeoutMs: 120_000 + stream.frames.length * 20,
    ...(signal === undefined ? {} : { signal }),
    writeInput: (stdin) =>
      new Promise((resolve, reject) => {
        stdin.write(writeAdts(stream), (error) => {
          if (error) reject(error);
          else resolve();
        });
      }),
  });
}
