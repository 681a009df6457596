import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Gives `work` an empty folder of its own and removes it afterwards, whatever happens. */
export async function withScratch<T>(root: string, work: (dir: string) => Promise<T>): Promise<T> {
  const mine = join(root, String(process.pid));
  await mkdir(mine, { recursive: true });
  const dir = await mkdtemp(join(mine, 'work-'));
  try {
    return await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true, maxRetries: 3 });
  }
}

/**
 * Removes what killed processes left behind: folders are named by process id. Call it before this process works:
 * a folder with its own id is that of one before it, as in a container that was started again.
 */
export async function sweepScratch(root: string): Promise<void> {
  const names = await readdir(root).catch(() => []);
  for (const name of names) {
    if (Number(name) === process.pid || !isAlive(Number(name)))
      await rm(join(root, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
