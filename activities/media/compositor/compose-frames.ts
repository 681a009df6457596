import { Worker } from 'node:worker_threads';
import type { CaptionStrip, RenderUnit } from '../composition.js';
import { convertOverlay } from './converter.js';
import { controlCell, layOutMemory, type ComposeJob, type ThreadMessage } from './job.js';
import { kernelMemory } from './kernel.js';
import type { PictureLoader } from './picture-loader.js';
import { frameBytes } from './planes.js';

/** Takes one finished frame; its bytes are valid until the promise resolves. */
export type FrameSink = (frame: Uint8Array) => Promise<void>;

interface Thread {
  worker: Worker;
  memory: WebAssembly.Memory;
}

/** Threads that wait for the next unit; as many as were ever busy at once. */
const idle: Thread[] = [];

/**
 * Draws all frames of a unit in order, planar 4:2:0, BT.709 limited range, and hands each to `sink`. Drawing
 * happens in a thread of its own, a few frames ahead of the sink.
 *
 * @throws the signal's reason on abort, whatever `sink` throws, ApplicationFailure for unreadable pictures.
 */
export async function composeFrames(
  unit: RenderUnit,
  strips: readonly CaptionStrip[],
  loader: PictureLoader,
  sink: FrameSink,
  signal?: AbortSignal,
): Promise<void> {
  const layers = await Promise.all(
    unit.shots.map((shot) => Promise.all(shot.layers.map((layer) => loader.load(layer, unit)))),
  );
  signal?.throwIfAborted();
  const shownStrips = strips.map(({ firstFrame, frames, ...placed }) => ({
    picture: convertOverlay({ ...placed, rgba: placed.rgba }, unit),
    time: { firstFrame, frames },
  }));
  const { job, bytes, pictures } = layOutMemory(unit, layers, shownStrips);
  const thread = takeThread(bytes);
  try {
    const memory = new Uint8Array(thread.memory.buffer);
    for (const picture of pictures) memory.set(picture.bytes, picture.base);
    await runJob(thread, job, sink, signal);
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

async function runJob(
  { worker, memory }: Thread,
  layout: Omit<ComposeJob, 'memory' | 'control'>,
  sink: FrameSink,
  signal: AbortSignal | undefined,
): Promise<void> {
  const control = new SharedArrayBuffer(8);
  const cells = new Int32Array(control);
  const size = frameBytes(layout.unit.width, layout.unit.height);
  const release = () => {
    Atomics.add(cells, controlCell.released, 1);
    Atomics.notify(cells, controlCell.released);
  };
  const stop = () => {
    Atomics.store(cells, controlCell.stop, 1);
    release();
  };
  const finished = new AbortController();
  let passed = Promise.resolve();
  const pass = async (slot: number, repeat: number) => {
    const frame = new Uint8Array(memory.buffer, layout.slots[slot], size);
    for (let i = 0; i < repeat; i++) {
      signal?.throwIfAborted();
      await sink(frame);
    }
    release();
  };
  let stopListening = () => {};
  const drawn = new Promise<void>((resolve, reject) => {
    const fail = (error: unknown) => {
      stop();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    signal?.addEventListener(
      'abort',
      () => {
        fail(signal.reason);
      },
      { once: true, signal: finished.signal },
    );
    const onMessage = (message: ThreadMessage) => {
      switch (message.kind) {
        case 'frame':
          passed = passed.then(() => pass(message.slot, message.repeat));
          passed.catch(fail);
          break;
        case 'done':
          resolve();
          break;
        case 'failed':
          fail(new Error(message.message));
      }
    };
    worker.on('error', fail).on('message', onMessage);
    stopListening = () => {
      worker.off('error', fail).off('message', onMessage);
    };
  });
  try {
    worker.postMessage({ ...layout, memory, control } satisfies ComposeJob);
    await drawn;
    await passed;
  } finally {
    finished.abort();
    stopListening();
  }
}
