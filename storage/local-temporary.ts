import { readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** How long another host may take to write a file. */
const abandonedMs = 24 * 3600_000;

/** Start of the names of files that this process is writing. */
export const temporaryPrefix = (): string => `${hostname()}~${String(process.pid)}~`;

/**
 * Removes half-written files: those of dead processes of this host at once, those of other hosts that share the folder
 * when they were last written to before then. Answers how many there were.
 */
export async function sweepTemporaryFiles(
  dir: string,
  before = new Date(Date.now() - abandonedMs),
): Promise<number> {
  let count = 0;
  for (const name of await readdir(dir)) {
    const [host, pid] = name.split('~');
    const path = join(dir, name);
    const isAbandoned =
      host === hostname()
        ? !isAlive(Number(pid))
        : await stat(path).then(
            ({ mtime }) => mtime < before,
            () => false,
          );
    if (!isAbandoned) continue;
    await rm(path, { force: true });
    count += 1;
  }
  return count;
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
