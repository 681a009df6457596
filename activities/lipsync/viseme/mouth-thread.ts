import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { ApplicationFailure } from '@temporalio/common';
import { loadFaceModels } from './face-models.js';
import { moveMouths, type MouthJob } from './mouth-job.js';

/** A thread that finds faces and draws mouths, so that the process's event loop stays free for heartbeats. */

export interface MouthThreadJob extends MouthJob {
  /** One 32-bit number: other than 0 stops the work. */
  control: SharedArrayBuffer;
}

export type MouthMessage =
  | { kind: 'progress'; fraction: number }
  | { kind: 'done'; changedFrames: number }
  | { kind: 'noFace' }
  | { kind: 'failed'; error: unknown };

const port = parentPort;
if (port) {
  // On Linux this lowers just the calling thread.
  setPriority(15);
  const send = (message: MouthMessage) => {
    port.postMessage(message);
  };
  port.on('message', (job: MouthThreadJob) => {
    void run(job, send);
  });
}

async function run(job: MouthThreadJob, send: (message: MouthMessage) => void): Promise<void> {
  const control = new Int32Array(job.control);
  try {
    const models = await loadFaceModels();
    const changedFrames = await moveMouths(job, models, (fraction) => {
      if (Atomics.load(control, 0) !== 0) throw new Error('stopped');
      send({ kind: 'progress', fraction });
    });
    send({ kind: 'done', changedFrames });
  } catch (error) {
    // A failure's type would not survive the way between threads.
    if (error instanceof ApplicationFailure && error.type === 'lip_sync_no_face') send({ kind: 'noFace' });
    else send({ kind: 'failed', error });
  }
}
