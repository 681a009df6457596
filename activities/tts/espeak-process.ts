import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { transientFailure } from '../failures.js';
import type { EspeakAnswer, EspeakRequest } from './espeak-protocol.js';

export interface EspeakProcess {
  /** Waits for its turn, then for the answer. Aborting gives the turn up at once. */
  ask(request: Omit<EspeakRequest, 'id'>, signal: AbortSignal): Promise<EspeakAnswer>;
  /** Process id of the running program, if there is one. */
  pid(): number | undefined;
  /** Ends the program; a later request starts it anew. */
  close(): void;
}

interface Running {
  child: ChildProcess;
  /** The requests that this very program has not answered; they fail with it. */
  waiting: Map<number, { answer: (line: EspeakAnswer) => void; fail: (error: Error) => void }>;
}

/**
 * Owns one long-lived speech program: started at the first request, started again after it died, killed when
 * an answer takes longer than `timeoutMs`. It never keeps this process alive.
 */
export function createEspeakProcess({ timeoutMs }: { timeoutMs: number }): EspeakProcess {
  let running: Running | undefined;
  let lastTurn: Promise<unknown> = Promise.resolve();
  let nextId = 1;

  function start(): Running {
    const waiting: Running['waiting'] = new Map();
    const started = spawn(process.execPath, programArguments(), {
      stdio: ['pipe', 'pipe', 'ignore'],
      // Nothing of ours, least of all a key, is the program's business.
      env: {},
    });
    const lost = () => {
      if (running?.child === started) running = undefined;
      for (const request of waiting.values()) request.fail(programDied());
      waiting.clear();
    };
    started.once('error', lost);
    started.once('exit', lost);
    // A broken pipe is reported by the exit.
    started.stdin.on('error', () => undefined);
    createInterface({ input: started.stdout }).on('line', (line) => {
      const answer = answerIn(line);
      if (answer === undefined) return;
      waiting.get(answer.id)?.answer(answer);
      waiting.delete(answer.id);
    });
    for (const stream of [started.stdin, started.stdout]) if (stream instanceof Socket) stream.unref();
    started.unref();
    return { child: started, waiting };
  }

  async function exchange(request: Omit<EspeakRequest, 'id'>): Promise<EspeakAnswer> {
    const { child, waiting } = (running ??= start());
    const id = nextId++;
    return new Promise((answer, fail) => {
      const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
      const settle =
        <T>(then: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          then(value);
        };
      waiting.set(id, { answer: settle(answer), fail: settle(fail) });
      child.stdin?.write(`${JSON.stringify({ id, ...request })}\n`);
    });
  }

  return {
    async ask(request, signal) {
      const turn = lastTurn.then(() => {
        signal.throwIfAborted();
        return exchange(request);
      });
      lastTurn = turn.catch(() => undefined);
      return untilAborted(turn, signal);
    },
    pid: () => running?.child.pid,
    close() {
      running?.child.kill('SIGKILL');
      running = undefined;
    },
  };
}

/** A library may print a line of its own, which is no answer. */
function answerIn(line: string): EspeakAnswer | undefined {
  try {
    return JSON.parse(line) as EspeakAnswer;
  } catch {
    return undefined;
  }
}

/** Beside this file, in the same language: compiled it runs as it is, from source through the loader. */
function programArguments(): string[] {
  if (!import.meta.url.endsWith('.ts')) return [fileURLToPath(new URL('espeak-program.js', import.meta.url))];
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  return ['--import', loader, fileURLToPath(new URL('espeak-program.ts', import.meta.url))];
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const abort = () => {
      // The reason is the engine's cancellation, which it must see as it is.
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', abort);
    });
  });
}

function programDied() {
  return transientFailure({
    code: 'voice_unavailable',
    detail: 'The espeak program ended or took too long to speak a sentence; it is started again.',
  });
}
