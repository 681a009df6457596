import { bytesOf } from '../audio/pcm-file.js';
import { ffmpegArguments, ownInput } from '../ffmpeg/command.js';
import { runFfmpeg, type FfmpegTools } from '../ffmpeg/run.js';

/** A difference that nobody hears is left alone. */
const leastChange = 0.01;
const timeoutMs = 60_000;

/**
 * Says the same in another time at the same pitch, by Rubber Band where ffmpeg has it.
 * @param mono full scale = 1
 * @param tempo 1.25 is a quarter faster.
 * @returns as many samples as the tempo says, to the sample
 */
export async function stretchSpeech(
  tools: FfmpegTools,
  mono: Float32Array,
  { rate, tempo, signal }: { rate: number; tempo: number; signal: AbortSignal },
): Promise<Float32Array> {
  if (Math.abs(tempo - 1) < leastChange || mono.length === 0) return mono;
  const wanted = Math.round(mono.length / tempo);
  const format = ['-f', 'f32le', '-ar', String(rate), '-ac', '1'];
  // What it needs to hear behind the end, so that the last sound is whole.
  const padding = new Float32Array(Math.round(rate * 0.2));
  const { stdout } = await runFfmpeg(tools, {
    args: ffmpegArguments({
      inputs: [{ source: 'pipe:0', options: [...ownInput, ...format] }],
      outputs: [
        {
          target: 'pipe:1',
          options: [
            '-af',
            `rubberband=tempo=${tempo.toFixed(4)}:transients=crisp:formant=preserved`,
            ...format,
          ],
        },
      ],
    }),
    timeoutMs,
    signal,
    collectOutput: { maxBytes: (wanted + rate) * 4 * 2 },
    writeInput: (stdin) =>
      new Promise((resolve, reject) => {
        const bytes = Buffer.concat([bytesOf(mono), bytesOf(padding)]);
        stdin.write(bytes, (error) => {
          if (error) reject(error);
          else resolve();
        });
      }),
  });
  const stretched = new Float32Array(wanted);
  const view = new DataView(stdout.buffer, stdout.byteOffset, stdout.byteLength);
  const length = Math.min(wanted, Math.floor(stdout.byteLength / 4));
  for (let n = 0; n < length; n += 1) stretched[n] = view.getFloat32(n * 4, true);
  return stretched;
}
