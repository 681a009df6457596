import { execFile } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface RawPipe {
  readFd: number;
  writeFd: number;
}

/**
 * A pipe of the system, both ends blocking and as bare descriptors, so that a thread can write to it without
 * the event loop. Node opens none itself, so it is a FIFO that loses its name at once. A writer gets EPIPE as
 * soon as the last reader is gone; both ends are the caller's to close.
 * @param folder an existing folder for the moment in which the FIFO has a name.
 */
export async function openRawPipe(folder: string): Promise<RawPipe> {
  const place = await mkdtemp(join(folder, 'pipe-'));
  try {
    const path = join(place, 'fifo');
    await run('mkfifo', ['-m', '600', path]);
    // Opened for both ways it waits for nobody, and neither do the two ends while it is open.
    const both = openSync(path, constants.O_RDWR);
    try {
      const readFd = openSync(path, constants.O_RDONLY);
      return { readFd, writeFd: openSync(path, constants.O_WRONLY) };
    } finally {
      closeSync(both);
    }
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}
