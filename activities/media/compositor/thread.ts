import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { drawFrame } from './draw-frame.js';
import { frameState } from './frame-state.js';
import { controlCell, type ComposeJob, type ThreadMessage } from './job.js';
import { loadKernel } from './kernel.js';

/** A thread that draws frames, so that the process's event loop stays free for heartbeats. */

/** A frame that stands still is passed on at least this often, so that the encoder is kept busy. */
const mostRepeats = 30;

function compose(job: ComposeJob, send: (message: ThreadMessage) => void): void {
  const kernel = loadKernel(job.memory);
  const control = new Int32Array(job.control);
  const times = job.strips.map((strip) => strip.time);
  let sent = 0;
  let pending: { slot: number; repeat: number; key: string } | undefined;
  const flush = () => {
    if (pending) send({ kind: 'frame', slot: pending.slot, repeat: pending.repeat });
    pending = undefined;
  };
  for (let frame = 0; frame < job.unit.frames; frame++) {
    const state = frameState(job.unit, times, frame);
    const key = JSON.stringify(state);
    if (pending?.key === key && pending.repeat < mostRepeats) {
      pending.repeat++;
      continue;
    }
    flush();
    const slot = sent % job.slots.length;
    if (!waitForSlot(control, sent - job.slots.length)) return;
    drawFrame(kernel, job, state, job.slots[slot] ?? 0);
    pending = { slot, repeat: 1, key };
    sent++;
  }
  flush();
}

/** Waits until more than `released` slots have been given back; false when the job is called off. */
function waitForSlot(control: Int32Array, released: number): boolean {
  for (;;) {
    if (Atomics.load(control, controlCell.stop) !== 0) return false;
    const now = Atomics.load(control, controlCell.released);
    if (now > released) return true;
    Atomics.wait(control, controlCell.released, now);
  }
}

const port = parentPort;
if (port) {
  // On Linux this lowers just the calling thread.
  setPriority(10);
  const send = (message: ThreadMessage) => {
    port.postMessage(message);
  };
  port.on('message', (job: ComposeJob) => {
    try {
      compose(job, send);
      send({ kind: 'done' });
    } catch (error) {
      send({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
    }
  });
}
