import { z } from 'zod';
import { fileName, untrustedInput } from '../ffmpeg/command.js';
import { ProgramError, runProgram } from '../ffmpeg/program.js';
import { RefusedFileError } from './refused-file.js';

/**
 * A header that takes more work to read, or more memory, was made for that. Work, not time: on a busy host all files
 * take long.
 */
const headerCpuSeconds = 4;
const headerMs = 20_000;
const maxMemoryBytes = 1024 ** 3;
/** For files that do not say how long they are: all their packets are looked at. */
const packetsMs = 20_000;
const maxPacketListBytes = 32 * 1024 ** 2;

const number = z.coerce.number().nullable().catch(null).default(null);
const word = z.string().nullable().catch(null).default(null);

const streamSchema = z.object({
  codec_type: word,
  codec_name: word,
  duration: number,
  width: number,
  height: number,
  avg_frame_rate: word,
  sample_rate: number,
  channels: number,
  disposition: z.object({ attached_pic: z.number().catch(0).default(0) }).optional(),
  side_data_list: z.array(z.object({ rotation: number })).optional(),
});

const answerSchema = z.object({
  format: z.object({ duration: number }),
  streams: z.array(streamSchema),
});

export type HeaderStream = z.infer<typeof streamSchema>;

export interface Header {
  durationSeconds: number | null;
  streams: HeaderStream[];
}

/**
 * Reads what a user's media file says of itself, with one demuxer and nothing but the file, in bounded time and memory.
 * No packet counts: a large file is not read to its end.
 *
 * @throws RefusedFileError for what ffprobe refuses; ApplicationFailure `ffmpeg_missing` and its like.
 */
export async function probeHeader(ffprobePath: string, path: string, demuxer: string): Promise<Header> {
  const wanted = [
    'format=duration:stream=codec_type,codec_name,duration,width,height,avg_frame_rate,sample_rate,channels',
    'stream_disposition=attached_pic:stream_side_data=rotation',
  ].join(':');
  const stdout = await ask(ffprobePath, path, demuxer, ['-show_entries', wanted, '-of', 'json'], {
    timeoutMs: headerMs,
    maxCpuSeconds: headerCpuSeconds,
    maxBytes: 1024 ** 2,
  });
  const parsed = answerSchema.safeParse(JSON.parse(stdout));
  if (!parsed.success) throw damaged(parsed.error);
  const { format, streams } = parsed.data;
  const told = [format.duration, ...streams.map(({ duration }) => duration)].filter((d) => d !== null);
  return { durationSeconds: told.length > 0 ? Math.max(...told) : null, streams };
}

/** The end of the last packet, in seconds, of a file that does not say how long it is. */
export async function probePackets(ffprobePath: string, path: string, demuxer: string): Promise<number> {
  const options = ['-show_entries', 'packet=pts_time', '-of', 'csv=print_section=0'];
  const limits = { timeoutMs: packetsMs, maxBytes: maxPacketListBytes };
  const stdout = await ask(ffprobePath, path, demuxer, options, limits);
  let last = 0;
  for (const line of stdout.split('\n')) {
    const seconds = Number.parseFloat(line);
    if (seconds > last) last = seconds;
  }
  return last;
}

async function ask(
  ffprobePath: string,
  path: string,
  demuxer: string,
  options: string[],
  limits: { timeoutMs: number; maxCpuSeconds?: number; maxBytes: number },
): Promise<string> {
  try {
    const { stdout } = await runProgram({
      path: ffprobePath,
      // One thread: each would have frames of its own.
      args: ['-v', 'error', ...untrustedInput, '-threads', '1', '-f', demuxer, ...options, fileName(path)],
      timeoutMs: limits.timeoutMs,
      maxMemoryBytes,
      maxCpuSeconds: limits.maxCpuSeconds,
      collectOutput: { maxBytes: limits.maxBytes },
    });
    return stdout.toString('utf8');
  } catch (error) {
    throw asRefusal(error);
  }
}

function asRefusal(error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof ProgramError) {
    const codec = /Codec \(([a-z0-9_]+)\) not on whitelist/.exec(cause.stderrTail)?.[1];
    if (codec !== undefined) {
      const detail = `The file has a stream in ${codec}, which is not taken.`;
      return new RefusedFileError('unsupported_media', detail, { cause });
    }
    return damaged(cause);
  }
  const type = error instanceof Error && 'type' in error ? error.type : undefined;
  return type === 'ffmpeg_timeout' || type === 'output_too_large' ? damaged(error) : error;
}

function damaged(cause: unknown): RefusedFileError {
  const detail = 'The file is damaged, or its content is not what its format promises.';
  return new RefusedFileError('damaged_media', detail, { cause });
}
