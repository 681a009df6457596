import { writeSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { drawFrame } from './draw-frame.js';
import { frameState } from './frame-state.js';
import type { ComposeJob, ThreadMessage } from './job.js';
import { loadKernel } from './kernel.js';
import { frameBytes } from './planes.js';

/** A thread that draws frames and writes them out, so that the process's event loop stays free for heartbeats. */

/** Frames between two reports. */
const reportEvery = 10;

/** A frame that looks like the one before is not drawn again. */
function compose(job: ComposeJob, send: (message: ThreadMessage) => void): void {
  const kernel = loadKernel(job.memory);
  const control = new Int32Array(job.control);
  const times = job.strips.map((strip) => strip.time);
  const bytes = new Uint8Array(job.memory.buffer, job.frame, frameBytes(job.unit.width, job.unit.height));
  let drawn = '';
  for (let frame = 0; frame < job.unit.frames; frame++) {
    if (Atomics.load(control, 0) !== 0) return;
    const state = frameState(job.unit, times, frame);
    const key = JSON.stringify(state);
    if (key !== drawn) drawFrame(kernel, job, state, job.frame);
    drawn = key;
    if (job.fd === null) send({ kind: 'frame', bytes: Uint8Array.from(bytes) });
    else writeWhole(job.fd, bytes);
    if (frame % reportEvery === reportEvery - 1) send({ kind: 'written', frames: frame + 1 });
  }
}

function writeWhole(fd: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    written += writeSync(fd, bytes, written, bytes.length - written);
  }
}

const port = parentPort;
if (port) {
  // On Linux this lowers just the calling thread.
  setPriority(15);
  const send = (message: ThreadMessage) => {
    port.postMessage(message);
  };
  port.on('message', (job: ComposeJob) => {
    try {
      compose(job, send);
      send({ kind: 'done' });
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
      send({ kind: 'failed', error, code });
    }
  });
}
