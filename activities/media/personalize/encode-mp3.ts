import type { Writable } from 'node:stream';
import { bytesOf } from '../audio/pcm-file.js';
import { ffmpegArguments, fileName, ownInput } from '../ffmpeg/command.js';
import { runFfmpeg, type FfmpegTools } from '../ffmpeg/run.js';
import type { SoundEdit } from './splice-sound.js';
import type { WavWindow } from './wav-window.js';

/** Samples a channel that are handed over at a time. */
const blockSamples = 48_000;

/**
 * The whole sound with its edits made, as an MP3 of constant good quality.
 * @throws as `runFfmpeg`
 */
export async function encodeMp3(
  tools: FfmpegTools,
  options: { sound: WavWindow; edits: readonly SoundEdit[]; target: string; signal: AbortSignal },
): Promise<void> {
  const { sound, edits, target, signal } = options;
  const { sampleRate, channels } = sound;
  await runFfmpeg(tools, {
    args: ffmpegArguments({
      inputs: [
        {
          source: 'pipe:0',
          options: [...ownInput, '-f', 'f32le', '-ar', String(sampleRate), '-ac', String(channels)],
        },
      ],
      outputs: [
        {
          target: fileName(target),
          options: [
            '-c:a',
            'libmp3lame',
            '-q:a',
            '3',
            '-map_metadata',
            '-1',
            '-fflags',
            '+bitexact',
            '-f',
            'mp3',
          ],
        },
      ],
    }),
    timeoutMs: 120_000 + (sound.samples / sampleRate) * 1_000,
    signal,
    writeInput: async (stdin) => {
      let at = 0;
      const upTo = async (end: number) => {
        for (; at < end; at += blockSamples)
          await write(stdin, await sound.read(at, Math.min(blockSamples, end - at)));
      };
      for (const edit of edits.toSorted((a, b) => a.start - b.start)) {
        await upTo(edit.start);
        await write(stdin, edit.pcm);
        at = edit.end;
      }
      await upTo(sound.samples);
    },
  });
}

function write(stdin: Writable, pcm: Float32Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stdin.write(bytesOf(pcm), (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
