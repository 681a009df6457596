import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { closeSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { transientFailure } from '../../failures.js';
import { standBack } from '../../stand-back.js';
import {
  findProgram,
  launchPrefix,
  missing,
  niceness,
  resourceBounds,
  standardPath,
} from './find-program.js';
import { openRawPipe, type RawPipe } from './raw-pipe.js';

/** How long a program may take to end by itself after TERM before its group is killed. */
const graceMs = 3_000;
const stderrTailBytes = 4096;

/** What a program ended with, for callers that can tell a bad input from a bad host. */
export class ProgramError extends Error {
  constructor(
    readonly program: string,
    readonly exitCode: number | null,
    readonly killSignal: NodeJS.Signals | null,
    readonly stderrTail: string,
  ) {
    super(`${program} ended with ${killSignal ?? `code ${exitCode ?? 'unknown'}`}\n${stderrTail}`);
    this.name = 'ProgramError';
  }
}

export interface ProgramRun {
  path: string;
  args: string[];
  timeoutMs: number;
  /** Most address space of the program, where the host can bound it. */
  maxMemoryBytes?: number | undefined;
  /** Most time of processors that it may use, in whole seconds, where the host can bound it. */
  maxCpuSeconds?: number | undefined;
  signal?: AbortSignal | undefined;
  env?: Record<string, string> | undefined;
  /** Folder in which the program runs; ours without it. */
  cwd?: string | undefined;
  /** Feeds standard input; without it there is none. The stream is ended by the runner. */
  writeInput?: ((stdin: Writable) => Promise<void>) | undefined;
  /** Feeds standard input past the event loop, instead of `writeInput`. */
  fillInput?: RawInput | undefined;
  /** Keeps standard output in memory; more than this is a failure. */
  collectOutput?: { maxBytes: number } | undefined;
  /** Reads file descriptor 3 of the program. */
  readReports?: ((reports: Readable) => void) | undefined;
}

export interface RawInput {
  /** An existing folder that may hold a FIFO for a moment. */
  folder: string;
  /**
   * Writes to a blocking descriptor, in another thread. It must not settle while that thread still uses the
   * descriptor, which is closed then. A write fails with EPIPE once the program has ended.
   */
  fill: (fd: number) => Promise<void>;
}

/**
 * Runs one program to its end: no shell, a process group of its own, low priority, an environment without our
 * secrets. On abort, timeout or a failing input the group gets TERM, then KILL; it also dies with this
 * process where the host has `setpriv`.
 *
 * @throws the signal's reason on abort; ApplicationFailure `ffmpeg_missing`, `ffmpeg_timeout`, `disk_full`,
 *   `output_too_large` or `ffmpeg_failed`, the last with a {@link ProgramError} as its cause.
 */
export async function runProgram(options: ProgramRun): Promise<{ stdout: Buffer; stderrTail: string }> {
  options.signal?.throwIfAborted();
  const program = await findProgram(options.path);
  const bounds = { memoryBytes: options.maxMemoryBytes, cpuSeconds: options.maxCpuSeconds };
  const prefix = [...(await launchPrefix()), ...(await resourceBounds(bounds))];
  options.signal?.throwIfAborted();
  const [command = program, ...args] = [...prefix, program, ...options.args];
  const pipe = options.fillInput && (await openRawPipe(options.fillInput.folder));
  const stdio: StdioOptions = [
    pipe ? pipe.readFd : options.writeInput ? 'pipe' : 'ignore',
    options.collectOutput ? 'pipe' : 'ignore',
    'pipe',
    options.readReports ? 'pipe' : 'ignore',
  ];
  const child = start(command, args, stdio, options, pipe);
  return await untilEnded(child, options, program, pipe);
}

/** The program has its own copy of the reading end, so that ours does not keep the pipe open without it. */
function start(
  command: string,
  args: string[],
  stdio: StdioOptions,
  { env, cwd }: Pick<ProgramRun, 'env' | 'cwd'>,
  pipe: RawPipe | undefined,
): ChildProcess {
  try {
    const child = spawn(command, args, {
      stdio,
      detached: true,
      cwd,
      env: { PATH: standardPath, LANG: 'C.UTF-8', ...env },
    });
    if (child.pid !== undefined) standBack(child.pid, niceness);
    return child;
  } catch (error) {
    if (pipe) closeSync(pipe.writeFd);
    throw error;
  } finally {
    if (pipe) closeSync(pipe.readFd);
  }
}

async function untilEnded(
  child: ChildProcess,
  options: ProgramRun,
  program: string,
  pipe: RawPipe | undefined,
) {
  let stopReason: Error | undefined;
  const stop = (reason: unknown) => {
    stopReason ??= reason instanceof Error ? reason : new Error(String(reason));
    endGroup(child);
  };
  const onAbort = () => {
    stop(options.signal?.reason);
  };
  options.signal?.addEventListener('abort', onAbort, { once: true });
  if (options.signal?.aborted === true) onAbort();
  const timer = setTimeout(() => {
    const seconds = Math.round(options.timeoutMs / 1000);
    stop(transientFailure({ code: 'ffmpeg_timeout', detail: `ffmpeg did not finish within ${seconds} s.` }));
  }, options.timeoutMs);

  const stderr = keepTail(child.stderr, stderrTailBytes);
  const stdout = options.collectOutput
    ? keepAll(child.stdout, options.collectOutput.maxBytes, stop)
    : undefined;
  const reports = child.stdio[3];
  if (options.readReports && reports && 'read' in reports) options.readReports(reports);
  const fed = pipe ? fill(pipe.writeFd, options, stop) : feed(child, options, stop);

  try {
    const { code, killedBy } = await ended(child);
    await fed;
    const stderrTail = stderr();
    if (stopReason !== undefined) throw stopReason;
    if (code !== 0) throw failureOf(new ProgramError(program, code, killedBy, stderrTail));
    return { stdout: stdout?.() ?? Buffer.alloc(0), stderrTail };
  } finally {
    // Another thread may still be writing, also to a program that could not be started.
    if (pipe) await fed;
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', onAbort);
  }
}

function ended(child: ChildProcess): Promise<{ code: number | null; killedBy: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      reject(missing(child.spawnfile, error));
    });
    child.once('close', (code, killedBy) => {
      resolve({ code, killedBy });
    });
  });
}

async function feed(child: ChildProcess, options: ProgramRun, stop: (reason: unknown) => void) {
  const { stdin } = child;
  if (!stdin || !options.writeInput) return;
  // A program that ends early closes its input; its own exit code says more than our EPIPE.
  stdin.on('error', () => undefined);
  try {
    await options.writeInput(stdin);
    stdin.end();
  } catch (error) {
    if (!stdin.errored) stop(error);
    stdin.destroy();
  }
}

async function fill(fd: number, { fillInput }: ProgramRun, stop: (reason: unknown) => void) {
  try {
    await fillInput?.fill(fd);
  } catch (error) {
    // A program that ends early closes its input; its own exit code says more than our EPIPE.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPIPE')) stop(error);
  } finally {
    closeSync(fd);
  }
}

/** TERM now, KILL for whoever in the group ignores it. Pipes that a runaway holds open are let go. */
function endGroup(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  signalGroup(pid, 'SIGTERM');
  const timer = setTimeout(() => {
    signalGroup(pid, 'SIGKILL');
    for (const stream of child.stdio) stream?.destroy();
  }, graceMs);
  child.once('close', () => {
    clearTimeout(timer);
    signalGroup(pid, 'SIGKILL');
  });
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone already.
  }
}

function keepTail(stream: Readable | null, bytes: number): () => string {
  let tail = Buffer.alloc(0);
  stream?.on('data', (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]).subarray(-bytes);
  });
  return () => tail.toString('utf8');
}

function keepAll(stream: Readable | null, maxBytes: number, stop: (reason: unknown) => void): () => Buffer {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream?.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maxBytes) chunks.push(chunk);
    else stop(transientFailure({ code: 'output_too_large', detail: 'ffmpeg wrote more than was expected.' }));
  });
  return () => Buffer.concat(chunks);
}

function failureOf(error: ProgramError) {
  if (/no space left on device|disk quota exceeded/i.test(error.stderrTail)) {
    return transientFailure({
      code: 'disk_full',
      detail: 'The disk of the media worker is full.',
      cause: error,
    });
  }
  return transientFailure({
    code: 'ffmpeg_failed',
    detail: 'ffmpeg failed on a step of this job.',
    cause: error,
  });
}
