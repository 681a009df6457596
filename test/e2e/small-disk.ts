import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from '../support/run-program.js';

/** A file system of its own, so small that it can be filled. */
export interface SmallDisk {
  path: string;
  /** Only once nobody uses it. */
  unmount(): Promise<void>;
}

/** Mounts one as the scratch folder of a stack; undefined, with the reason told, where that is not permitted. */
export async function mountScratch(dataDir: string, megabytes: number): Promise<SmallDisk | undefined> {
  const path = join(dataDir, 'scratch');
  await mkdir(path, { recursive: true });
  const { stderr } = await runProgram('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path]);
  if (stderr !== '') {
    console.warn(`a full disk is not tested, as none may be mounted here: ${stderr.trim()}`);
    return undefined;
  }
  return {
    path,
    async unmount() {
      await runProgram('umount', [path]);
    },
  };
}
