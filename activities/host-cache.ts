import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { copyFile, link, mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** A file asked for within this time may be in use by a running activity, and is never evicted. */
const inUseMs = 15 * 60_000;
const temporaryPrefix = '.part-';

export interface HostCache {
  /** Path of the file, downloaded once however many ask for it at the same time. */
  get(name: string, sha256: string, download: () => Promise<Readable>): Promise<string>;
  /** Keeps a file that was just published, so that it need not come back over the network. */
  adopt(name: string, path: string): Promise<void>;
}

/**
 * Least-recently-used files on this host, named by content. Several processes may share the folder: a file's
 * modification time is its last use, and files appear by renaming, complete and with their hash checked.
 */
export function createHostCache({ dir, maxBytes }: { dir: string; maxBytes: number }): HostCache {
  const downloads = new Map<string, Promise<string>>();

  async function fill(name: string, sha256: string, download: () => Promise<Readable>): Promise<string> {
    await mkdir(dir, { recursive: true });
    const temporary = join(dir, `${temporaryPrefix}${randomUUID()}`);
    try {
      await writeChecked(await download(), temporary, sha256);
      await rename(temporary, join(dir, name));
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await evict(dir, maxBytes);
    return join(dir, name);
  }

  return {
    async get(name, sha256, download) {
      const path = join(dir, name);
      if (await touch(path)) return path;
      const running =
        downloads.get(name) ?? fill(name, sha256, download).finally(() => downloads.delete(name));
      downloads.set(name, running);
      return running;
    },
    async adopt(name, path) {
      await mkdir(dir, { recursive: true });
      if (await touch(join(dir, name))) return;
      const temporary = join(dir, `${temporaryPrefix}${randomUUID()}`);
      try {
        await link(path, temporary).catch(() => copyFile(path, temporary));
        await rename(temporary, join(dir, name));
        await touch(join(dir, name));
      } catch {
        // Nothing is lost: the file is in storage and is fetched from there when it is asked for.
        await rm(temporary, { force: true });
      }
      await evict(dir, maxBytes);
    },
  };
}

/** Marks a file as used now; false when it is not there. */
async function touch(path: string): Promise<boolean> {
  const now = new Date();
  return utimes(path, now, now).then(
    () => true,
    () => false,
  );
}

async function writeChecked(source: Readable, path: string, sha256: string): Promise<void> {
  const hash = createHash('sha256');
  source.on('data', (chunk: Buffer) => hash.update(chunk));
  await pipeline(source, createWriteStream(path, { flags: 'wx' }));
  if (hash.digest('hex') !== sha256)
    throw new Error('a file from storage does not have the hash it is named by');
  // A crash of the host must not leave an empty file under a name that promises its content.
  const file = await open(path);
  await file.sync().finally(() => file.close());
}

async function evict(dir: string, maxBytes: number): Promise<void> {
  const files: { path: string; bytes: number; usedAt: number }[] = [];
  for (const name of await readdir(dir)) {
    const path = join(dir, name);
    const facts = await stat(path).catch(() => undefined);
    if (facts?.isFile()) files.push({ path, bytes: facts.size, usedAt: facts.mtimeMs });
  }
  let total = files.reduce((sum, file) => sum + file.bytes, 0);
  files.sort((a, b) => a.usedAt - b.usedAt);
  for (const file of files) {
    if (total <= maxBytes || Date.now() - file.usedAt < inUseMs) return;
    await rm(file.path, { force: true });
    total -= file.bytes;
  }
}
