import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { RecordedSound } from '../mono-sound.js';
import type { SpokenText } from '../voice.js';
import type { AlignAnswer, AlignRequest } from './align-thread.js';
import type { AlignedWords } from './align-words.js';

/** An alignment in a thread of its own: first the recording is heard, then each voice, then they are aligned. */
export interface Aligner {
  hear(sound: RecordedSound): Promise<{ soundingSeconds: number }>;
  /** The same words in each voice. */
  addVoice(speech: Pick<SpokenText, 'pcm' | 'words'>): Promise<void>;
  /** See `alignWords`. */
  align(): Promise<AlignedWords>;
}

/**
 * Lends an aligner to `work`. An abort ends the thread at once, whatever it does.
 * @throws what the thread or `work` throws; the signal's reason on abort.
 */
export async function withAligner<T>(
  signal: AbortSignal,
  work: (aligner: Aligner) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const thread = takeThread();
  const ended = new AbortController();
  const aborted = once(signal, 'abort', { signal: ended.signal }).then((): never => {
    signal.throwIfAborted();
    throw new Error('there was no abort');
  });
  try {
    const result = await Promise.race([work(alignerOf(thread)), aborted]);
    keepThread(thread);
    return result;
  } catch (error) {
    // Its state is unknown after a failure.
    await thread.terminate();
    throw error;
  } finally {
    ended.abort();
  }
}

function alignerOf(thread: Worker): Aligner {
  const ask = (request: AlignRequest) =>
    new Promise<AlignAnswer>((resolve, reject) => {
      thread.removeAllListeners();
      thread.once('error', reject);
      thread.once('exit', (code) => reject(new Error(`the thread that aligns ended with ${code}`)));
      thread.once('message', (answer: AlignAnswer) => {
        if (answer.kind !== 'failed') resolve(answer);
        else reject(answer.error instanceof Error ? answer.error : new Error(String(answer.error)));
      });
      thread.postMessage(request);
    });
  const unexpected = ({ kind }: AlignAnswer) => new Error(`the thread that aligns said ${kind}`);
  return {
    async hear(sound) {
      const answer = await ask({ kind: 'hear', sound });
      if (answer.kind !== 'heard') throw unexpected(answer);
      return { soundingSeconds: answer.soundingSeconds };
    },
    async addVoice({ pcm, words }) {
      const answer = await ask({ kind: 'voice', speech: { pcm, words } });
      if (answer.kind !== 'added') throw unexpected(answer);
    },
    async align() {
      const answer = await ask({ kind: 'align' });
      if (answer.kind !== 'aligned') throw unexpected(answer);
      return answer.aligned;
    },
  };
}

/** Threads that wait for the next recording: names of a voice from outside come one after the other. */
const idle: { thread: Worker; timer: NodeJS.Timeout }[] = [];
const idleMs = 30_000;

function takeThread(): Worker {
  const waiting = idle.pop();
  if (waiting) {
    clearTimeout(waiting.timer);
    waiting.thread.ref();
    return waiting.thread;
  }
  const entry = import.meta.url.endsWith('.ts') ? './align-thread-from-source.mjs' : './align-thread.js';
  return new Worker(new URL(entry, import.meta.url));
}

function keepThread(thread: Worker): void {
  thread.removeAllListeners();
  thread.unref();
  const forget = () => {
    const at = idle.findIndex((one) => one.thread === thread);
    if (at >= 0) idle.splice(at, 1);
    void thread.terminate();
  };
  thread.once('error', forget).once('exit', forget);
  idle.push({ thread, timer: setTimeout(forget, idleMs).unref() });
}
