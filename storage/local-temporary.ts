import { readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

const abandonedMs = 24 * 3600_000;

/** Start of the names of files that this process is writing. */
export const temporaryPrefix = (): string => `${hostname()}~${String(process.pid)}~`;

/**
 * Removes half-written files: those of dead processes of this host at once, those of other hosts that share the folder
 * after a day.
 */
export async function sweepTemporaryFiles(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    const [host, pid] = name.split('~');
    const path = join(dir, name);
    if (host === hostname()) {
      if (!isAlive(Number(pid))) await rm(path, { force: true });
      continue;
    }
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > abandonedMs) await rm(path, { force: true });
  }
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
