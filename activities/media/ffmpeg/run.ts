import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileName, untrustedInput } from './command.js';
import { parsePackets, parseProbe, type MediaProbe, type ProbedPackets } from './media-probe.js';
import { runProgram, type RawInput } from './program.js';
import { encoderSampleArguments } from './segment-command.js';

/** Paths, or names to be found on the search path. */
export interface FfmpegTools {
  ffmpegPath: string;
  ffprobePath: string;
}

export interface FfmpegProgress {
  /** Video frames written so far; 0 for sound alone. */
  frames: number;
  /** Time reached in the output. */
  seconds: number;
}

export interface FfmpegRun {
  /** Tokens of {@link import('./command.js').ffmpegArguments}. */
  args: string[];
  /** Wall-clock bound. */
  timeoutMs: number;
  signal?: AbortSignal;
  env?: Record<string, string>;
  onProgress?: (progress: FfmpegProgress) => void;
  /** Feeds `pipe:0`. */
  writeInput?: (stdin: Writable) => Promise<void>;
  /** Feeds `pipe:0` from another thread. */
  fillInput?: RawInput;
  /** Collects `pipe:1`. */
  collectOutput?: { maxBytes: number };
}

/**
 * Runs ffmpeg. Any decoding error fails the run (`-xerror`). A result on disk still has to be probed: an exit
 * code of 0 alone does not say that it is whole.
 *
 * @throws see {@link runProgram}; an abort rejects with the signal's reason once ffmpeg is gone.
 */
export async function runFfmpeg(
  tools: FfmpegTools,
  { args, onProgress, ...options }: FfmpegRun,
): Promise<{ stdout: Buffer; stderrTail: string }> {
  const general = ['-hide_banner', '-loglevel', 'warning', '-nostats', '-xerror', '-y'];
  const input = options.writeInput || options.fillInput ? [] : ['-nostdin'];
  const progress = onProgress ? ['-progress', 'pipe:3', '-stats_period', '0.5'] : [];
  return await runProgram({
    ...options,
    path: tools.ffmpegPath,
    args: [...general, ...input, ...progress, ...args],
    readReports:
      onProgress &&
      ((reports) => {
        readProgress(reports, onProgress);
      }),
  });
}

/** `key=value` lines, a `progress=` line ending each report. Source: ffmpeg's documentation of `-progress`. */
function readProgress(reports: Readable, onProgress: (progress: FfmpegProgress) => void): void {
  let current: FfmpegProgress = { frames: 0, seconds: 0 };
  createInterface({ input: reports }).on('line', (line) => {
    const [key, value = ''] = line.split('=', 2);
    const number = Number(value);
    if (key === 'frame' && Number.isFinite(number)) current = { ...current, frames: number };
    // Microseconds, in spite of other keys' names; `N/A` before the first packet.
    if (key === 'out_time_us' && Number.isFinite(number)) current = { ...current, seconds: number / 1e6 };
    if (key === 'progress') onProgress(current);
  });
}

interface ProbeOptions {
  timeoutMs?: number;
  signal?: AbortSignal;
}

/**
 * Reads streams, durations and packet counts of a file, ours or a user's, without decoding it.
 *
 * @throws ApplicationFailure `ffmpeg_failed` when ffprobe refuses the file, and as {@link runProgram}.
 */
export async function probe(
  tools: FfmpegTools,
  path: string,
  options: ProbeOptions = {},
): Promise<MediaProbe> {
  return parseProbe(await ffprobe(tools, path, [], 1024 ** 2, options));
}

/** What {@link probe} reads, and in the same run when each packet is to be shown. @throws as {@link probe} */
export async function probePackets(
  tools: FfmpegTools,
  path: string,
  options: ProbeOptions = {},
): Promise<ProbedPackets> {
  const entries = ['-show_entries', 'packet=stream_index,pts_time'];
  return parsePackets(await ffprobe(tools, path, entries, 256 * 1024 ** 2, options));
}

async function ffprobe(
  tools: FfmpegTools,
  path: string,
  entries: string[],
  maxBytes: number,
  { timeoutMs = 60_000, signal }: ProbeOptions,
): Promise<string> {
  const { stdout } = await runProgram({
    path: tools.ffprobePath,
    args: [
      ...['-v', 'error', ...untrustedInput, '-count_packets', '-show_streams', '-show_format'],
      ...[...entries, '-of', 'json=compact=1', fileName(path)],
    ],
    timeoutMs,
    signal,
    collectOutput: { maxBytes },
  });
  return stdout.toString('utf8');
}

const encoderNames = new Map<string, Promise<string>>();

/**
 * Which encoder this is, for cache keys of encoded streams: ffmpeg's version, and a hash of what the encoder
 * makes of a tiny sample, which differs with its version, its build and our settings. Asked once per program.
 * @throws ApplicationFailure as {@link runFfmpeg}
 */
export function encoderName(tools: FfmpegTools): Promise<string> {
  let name = encoderNames.get(tools.ffmpegPath);
  if (!name) {
    name = nameEncoder(tools);
    // A program that is missing now may be there later.
    name.catch(() => encoderNames.delete(tools.ffmpegPath));
    encoderNames.set(tools.ffmpegPath, name);
  }
  return name;
}

async function nameEncoder(tools: FfmpegTools): Promise<string> {
  const limits = { timeoutMs: 30_000, collectOutput: { maxBytes: 1024 ** 2 } };
  const version = await runProgram({ ...limits, path: tools.ffmpegPath, args: ['-version'] });
  const sample = await runFfmpeg(tools, { ...limits, args: encoderSampleArguments() });
  const [firstLine = ''] = version.stdout.toString('utf8').split('\n');
  return `${firstLine}; ${createHash('sha256').update(sample.stdout).digest('hex')}`;
}
