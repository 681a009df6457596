import { Worker } from 'node:worker_threads';
import type { CaptionStrip, RenderUnit } from '../composition.js';
import { convertOverlay } from './converter.js';
import { layOutMemory, type ComposeJob, type ComposeLayout, type ThreadMessage } from './job.js';
import { kernelMemory } from './kernel.js';
import type { PictureLoader } from './picture-loader.js';

/** Where finished frames go. */
export interface FrameOutput {
  /** A blocking descriptor. It is the caller's, and in use until {@link composeFrames} has settled. */
  fd: number;
  /** Frames written so far, now and then. */
  onProgress?: (frames: number) => void;
}

interface Thread {
  worker: Worker;
  memory: WebAssembly.Memory;
}

/** Threads that wait for the next unit; as many as were ever busy at once. */
const idle: Thread[] = [];

/**
 * Draws all frames of a unit in order, planar 4:2:0, BT.709 limited range, and writes them one after another.
 * All of that happens in a thread of its own: no frame passes through the event loop.
 *
 * On abort it settles once the thread is done with the frame at hand: whoever reads a pipe has to go on reading
 * or to end. It settles only when nothing uses the descriptor any more.
 * @throws the signal's reason on abort, the system's error for a failing write (`EPIPE` when the reader has
 *   ended), ApplicationFailure for unreadable pictures.
 */
export async function composeFrames(
  unit: RenderUnit,
  strips: readonly CaptionStrip[],
  loader: PictureLoader,
  { fd, onProgress }: FrameOutput,
  signal?: AbortSignal,
): Promise<void> {
  await compose(unit, strips, loader, { fd, signal, onProgress });
}

/** Frames of a short unit, kept in memory. @throws as {@link composeFrames} */
export async function collectFrames(
  unit: RenderUnit,
  strips: readonly CaptionStrip[],
  loader: PictureLoader,
  signal?: AbortSignal,
): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = [];
  const onFrame = (frame: Uint8Array) => frames.push(frame);
  await compose(unit, strips, loader, { fd: null, signal, onFrame });
  return frames;
}

interface Run {
  fd: number | null;
  signal: AbortSignal | undefined;
  onProgress?: ((frames: number) => void) | undefined;
  onFrame?: (frame: Uint8Array) => void;
}

async function compose(
  unit: RenderUnit,
  strips: readonly CaptionStrip[],
  loader: PictureLoader,
  run: Run,
): Promise<void> {
  const { signal } = run;
  const layers = await Promise.all(
    unit.shots.map((shot) => Promise.all(shot.layers.map((layer) => loader.load(layer, unit)))),
  );
  signal?.throwIfAborted();
  const shownStrips = strips.map(({ rgba, marked, shows, ...place }) => ({
    picture: convertOverlay({ ...place, rgba }, unit),
    marked: marked && convertOverlay({ ...place, rgba: marked }, unit),
    shows,
  }));
  const { job, bytes, pictures } = layOutMemory(unit, layers, shownStrips);
  const thread = takeThread(bytes);
  try {
    const memory = new Uint8Array(thread.memory.buffer);
    for (const picture of pictures) memory.set(picture.bytes, picture.base);
    await runJob(thread, job, run);
    thread.worker.unref();
    idle.push(thread);
  } catch (error) {
    // Its state is unknown after a failure; a new one costs a few milliseconds.
    void thread.worker.terminate();
    throw error;
  }
}

function takeThread(bytes: number): Thread {
  const waiting = idle.pop();
  if (waiting) {
    waiting.worker.ref();
    if (waiting.memory.buffer.byteLength < bytes) waiting.memory = kernelMemory(bytes);
    return waiting;
  }
  return { worker: startThread(), memory: kernelMemory(bytes) };
}

/** The same program runs from source, where a thread has to be taught TypeScript first, and compiled. */
function startThread(): Worker {
  const entry = import.meta.url.endsWith('.ts') ? './thread-from-source.mjs' : './thread.js';
  return new Worker(new URL(entry, import.meta.url));
}

/** Settles when the thread has ended the job, or has ended itself. */
async function runJob({ worker, memory }: Thread, layout: ComposeLayout, run: Run): Promise<void> {
  const control = new SharedArrayBuffer(4);
  const stop = () => {
    Atomics.store(new Int32Array(control), 0, 1);
  };
  run.signal?.addEventListener('abort', stop, { once: true });
  let stopListening = () => {};
  const ended = new Promise<void>((resolve, reject) => {
    const onExit = (code: number) => {
      reject(new Error(`the thread that draws frames ended with ${code}`));
    };
    const onMessage = (message: ThreadMessage) => {
      switch (message.kind) {
        case 'frame':
          run.onFrame?.(message.bytes);
          break;
        case 'written':
          run.onProgress?.(message.frames);
          break;
        case 'done':
          resolve();
          break;
        case 'failed':
          reject(Object.assign(toError(message.error), message.code && { code: message.code }));
      }
    };
    worker.on('error', reject).on('exit', onExit).on('message', onMessage);
    stopListening = () => {
      worker.off('error', reject).off('exit', onExit).off('message', onMessage);
    };
  });
  try {
    worker.postMessage({ ...layout, memory, control, fd: run.fd } satisfies ComposeJob);
    await ended;
    run.signal?.throwIfAborted();
  } finally {
    run.signal?.removeEventListener('abort', stop);
    stopListening();
  }
}

const toError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
