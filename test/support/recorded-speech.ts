import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';

const run = promisify(execFile);
const folder = new URL('../media/speech/', import.meta.url);
const recordings = z.array(
  z.object({ file: z.string(), text: z.string(), borders: z.array(z.tuple([z.number(), z.number()])) }),
);

export const recordedRate = 48_000;

export interface RecordedSpeech {
  name: string;
  text: string;
  /** Mono at {@link recordedRate}, −1…1. */
  samples: Float32Array;
  /** Start and end of each word, seconds. */
  borders: [number, number][];
}

/** Recordings of people, with the true times of their words. */
export async function recordedSpeech(): Promise<RecordedSpeech[]> {
  const known = recordings.parse(JSON.parse(await readFile(new URL('words.json', folder), 'utf8')));
  return Promise.all(
    known.map(async ({ file, text, borders }) => ({
      name: file.replace(/\.flac$/, ''),
      text,
      samples: await decoded(fileURLToPath(new URL(file, folder))),
      borders,
    })),
  );
}

async function decoded(path: string): Promise<Float32Array> {
  const args = ['-v', 'error', '-i', path, '-ac', '1', '-ar', String(recordedRate), '-f', 'f32le', '-'];
  const { stdout } = await run('ffmpeg', args, { encoding: 'buffer', maxBuffer: 1 << 28 });
  return new Float32Array(Uint8Array.from(stdout).buffer);
}

/** Distances of found word borders from the true ones, seconds, two a word. */
export function borderErrors(
  found: readonly { startSeconds: number; endSeconds: number }[],
  borders: readonly (readonly [number, number])[],
): number[] {
  if (found.length !== borders.length) throw new Error('not the same words');
  return borders.flatMap(([start, end], n) => [
    Math.abs((found[n]?.startSeconds ?? Infinity) - start),
    Math.abs((found[n]?.endSeconds ?? Infinity) - end),
  ]);
}

/** Adds white noise, or a slow chord of five sawtooth voices, at `snrDb` below the speech. */
export function withBackground(
  samples: Float32Array,
  kind: 'noise' | 'music',
  snrDb: number,
  rate = recordedRate,
): Float32Array {
  let seed = 1;
  const sound = Float32Array.from(samples, (_, n) => {
    seed = (seed * 16_807) % 2_147_483_647;
    if (kind === 'noise') return seed / 1_073_741_823.5 - 1;
    const root = [220, 174.6, 261.6, 196][Math.floor(n / rate / 0.6) % 4] ?? 220;
    return [0.5, 1, 1.26, 1.5, 2].reduce((sum, ratio) => sum + (((root * ratio * n) / rate) % 1) - 0.5, 0);
  });
  const power = (values: Float32Array) =>
    values.reduce((sum, value) => sum + value * value, 0) / values.length;
  const gain = Math.sqrt(power(samples) / power(sound) / 10 ** (snrDb / 10));
  return samples.map((sample, n) => sample + gain * (sound[n] ?? 0));
}
