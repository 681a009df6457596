import { Worker } from 'node:worker_threads';
import { noFace } from '../lip-sync-failures.js';
import { frameSeconds, type LipSyncHooks, type LipSyncProvider, type LipSyncRequest } from '../lip-sync.js';
import { mouthTrack } from './coarticulation.js';
import type { MouthMessage, MouthThreadJob } from './mouth-thread.js';
import type { MouthShape } from './mouth-shapes.js';
import { phonemesOf, type PhonemesOfText } from './phoneme-times.js';
import { loudnessOf, shapesOfSound } from './sound-shapes.js';

/** Sample rate of the speech, Hz. */
const pcmRate = 48_000;

/**
 * Moves the mouth in the pictures themselves: finds the face, warps lips and jaw to the shapes of the phonemes, paints what
 * shows behind the lips. Runs on the CPU, needs no service, and works in a thread of its own.
 *
 * `moveMouth` fails with `lip_sync_no_face` where no frame shows a face; frames without it stay as they are.
 * @param speak a voice with phoneme times, for speech of which only the words are known.
 */
export function createVisemeLipSync({ speak }: { speak: PhonemesOfText }): LipSyncProvider {
  return {
    name: 'viseme',
    version: 1,
    async moveMouth(request, hooks) {
      const shapes = await mouthShapes(request, speak, hooks.signal);
      const changedFrames = await inThread({ clip: request.clip, outPath: request.outPath, shapes }, hooks);
      return { clip: { ...request.clip, path: request.outPath }, changedFrames };
    },
  };
}

/** The wanted mouth of each frame, at the middle of the time in which it is shown. */
async function mouthShapes(
  { clip, pcm, speech }: LipSyncRequest,
  speak: PhonemesOfText,
  signal: AbortSignal,
): Promise<MouthShape[]> {
  const times = Array.from({ length: clip.frames }, (_value, n) => (n + 0.5) * frameSeconds(clip));
  const phonemes = await phonemesOf(speech, speak, signal);
  if (!phonemes) return shapesOfSound(pcm, pcmRate, times);
  const loudness = loudnessOf(pcm, pcmRate);
  // Stressed vowels are louder, and opened wider.
  return mouthTrack(phonemes, times, (seconds) =>
    pcm.length === 0 ? 1 : Math.min(1.15, 0.6 + 0.6 * loudness(seconds)),
  );
}

/** Settles when the thread has ended the job; an abort stops it at the next frame. */
async function inThread(
  job: Omit<MouthThreadJob, 'control'>,
  { signal, report }: LipSyncHooks,
): Promise<number> {
  signal.throwIfAborted();
  const worker = takeThread();
  const control = new SharedArrayBuffer(4);
  const stop = () => {
    Atomics.store(new Int32Array(control), 0, 1);
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    const changed = await new Promise<number>((resolve, reject) => {
      worker.removeAllListeners();
      worker.on('error', reject);
      worker.on('exit', (code) => reject(new Error(`the thread that draws mouths ended with ${code}`)));
      worker.on('message', (message: MouthMessage) => {
        switch (message.kind) {
          case 'progress':
            report?.(message.fraction);
            break;
          case 'done':
            resolve(message.changedFrames);
            break;
          case 'noFace':
            reject(noFace());
            break;
          case 'failed':
            reject(message.error instanceof Error ? message.error : new Error(String(message.error)));
        }
      });
      worker.postMessage({ ...job, control } satisfies MouthThreadJob);
    });
    signal.throwIfAborted();
    keepThread(worker);
    return changed;
  } catch (error) {
    // Its state is unknown after a failure.
    await worker.terminate();
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Threads that wait for the next span: to start one and load its models costs as much as a dozen frames. */
const idle: { worker: Worker; timer: NodeJS.Timeout }[] = [];
/** An idle thread holds some 150 MB. */
const idleMs = 60_000;

function takeThread(): Worker {
  const waiting = idle.pop();
  if (waiting) {
    clearTimeout(waiting.timer);
    waiting.worker.ref();
    return waiting.worker;
  }
  const entry = import.meta.url.endsWith('.ts') ? './thread-from-source.mjs' : './mouth-thread.js';
  return new Worker(new URL(entry, import.meta.url));
}

function keepThread(worker: Worker): void {
  worker.removeAllListeners();
  worker.unref();
  const forget = () => {
    const at = idle.findIndex((thread) => thread.worker === worker);
    if (at >= 0) idle.splice(at, 1);
    void worker.terminate();
  };
  worker.once('error', forget).once('exit', forget);
  idle.push({ worker, timer: setTimeout(forget, idleMs).unref() });
}
