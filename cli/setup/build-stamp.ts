import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Lies in dist, so that removing dist makes everything anew. */
const folder = join('dist', '.stamps');

/** Whether the step `name` ran since any of `inputs` (files and folders) changed. */
export async function isCurrent(name: string, inputs: readonly string[], root = '.'): Promise<boolean> {
  const kept = await readFile(join(root, folder, name), 'utf8').catch(() => undefined);
  return kept === (await fingerprint(inputs, root));
}

export async function markCurrent(name: string, inputs: readonly string[], root = '.'): Promise<void> {
  await mkdir(join(root, folder), { recursive: true });
  await writeFile(join(root, folder, name), await fingerprint(inputs, root));
}

/** Names, sizes and times tell a change; reading every file would cost the seconds that this saves. */
async function fingerprint(inputs: readonly string[], root: string): Promise<string> {
  const hash = createHash('sha256').update(process.versions.node);
  for (const input of inputs) {
    for (const path of await filesBelow(join(root, input))) {
      const { size, mtimeMs } = await stat(path);
      hash.update(`${path}\0${String(size)}\0${String(mtimeMs)}\n`);
    }
  }
  return hash.digest('hex');
}

/** The file itself, or every file below a folder, in a fixed order; nothing for what is absent. */
async function filesBelow(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return [];
  if (!found.isDirectory()) return [path];
  const entries = await readdir(path, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
