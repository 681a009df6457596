import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, mkdir, open, opendir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { assertKey } from './keys.js';
import { sweepTemporaryFiles, temporaryPrefix } from './local-temporary.js';
import { ObjectMissingError, type ListedObject, type Storage } from './storage.js';

const listedAtOnce = 1_000;
/** Each read waits for a thread of its own, so few large ones. */
const readBytes = 256 * 1024;

/**
 * Objects as files below `dir`: `objects/<key>` holds the bytes, `types/<key>` the content type. Files are written beside,
 * flushed and renamed into place. An error of the file system keeps its `code` (`ENOSPC` and its like).
 */
export async function createLocalStorage(dir: string): Promise<Storage> {
  const temporary = join(dir, 'temporary');
  await mkdir(temporary, { recursive: true });
  await sweepTemporaryFiles(temporary);
  const objectPath = (key: string) => join(dir, 'objects', key);
  const typePath = (key: string) => join(dir, 'types', key);

  async function publish(write: (draft: string) => Promise<void>, target: string): Promise<void> {
    const draft = join(temporary, `${temporaryPrefix()}${randomUUID()}`);
    try {
      await write(draft);
      await flush(draft);
      await mkdir(dirname(target), { recursive: true });
      await rename(draft, target);
      await flush(dirname(target));
    } finally {
      await rm(draft, { force: true });
    }
  }

  async function put(
    key: string,
    contentType: string,
    write: (draft: string) => Promise<void>,
  ): Promise<void> {
    assertKey(key);
    // The type first: whoever sees the object sees its type.
    const known = await readFile(typePath(key), 'utf8').catch(() => undefined);
    if (known !== contentType) await publish((draft) => writeFile(draft, contentType), typePath(key));
    await publish(write, objectPath(key));
  }

  return {
    putFile: (key, path, contentType) =>
      // A reflink where the file system has them: no bytes are copied.
      put(key, contentType, (draft) => copyFile(path, draft, constants.COPYFILE_FICLONE)),
    takeFile: (key, path, contentType) => put(key, contentType, (draft) => moveFile(path, draft)),
    putBytes: (key, bytes, contentType) => put(key, contentType, (draft) => writeFile(draft, bytes)),

    async head(key) {
      assertKey(key);
      try {
        const [found, contentType] = await Promise.all([
          stat(objectPath(key)),
          readFile(typePath(key), 'utf8'),
        ]);
        return found.isFile() ? { bytes: found.size, contentType } : undefined;
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },

    async read(key, range) {
      assertKey(key);
      const file = await open(objectPath(key)).catch((error: unknown) => {
        throw isMissing(error) ? new ObjectMissingError(key) : error;
      });
      try {
        const found = await file.stat();
        if (!found.isFile()) throw new ObjectMissingError(key);
        if (range !== undefined && range.start >= found.size) throw new RangeError('range beyond the object');
      } catch (error) {
        await file.close();
        throw error;
      }
      // The stream closes the file when it ends or is destroyed.
      return file.createReadStream({ ...range, highWaterMark: readBytes });
    },

    async delete(key) {
      assertKey(key);
      await rm(objectPath(key), { force: true });
      await rm(typePath(key), { force: true });
    },

    presignPut: () => Promise.resolve(undefined),

    async *list(prefix) {
      assertKey(`${prefix}x`);
      const folder = await opendir(objectPath(prefix)).catch((error: unknown) => {
        if (isMissing(error)) return undefined;
        throw error;
      });
      let page: ListedObject[] = [];
      for await (const entry of folder ?? []) {
        const found = await stat(objectPath(`${prefix}${entry.name}`)).catch(() => undefined);
        if (found?.isFile() !== true) continue;
        page.push({ key: `${prefix}${entry.name}`, modifiedAt: found.mtime });
        if (page.length < listedAtOnce) continue;
        yield page;
        page = [];
      }
      if (page.length > 0) yield page;
    },

    removeUnfinished: (before) => sweepTemporaryFiles(temporary, before),

    localPath(key) {
      assertKey(key);
      return objectPath(key);
    },

    async check() {
      const probe = join(temporary, `${temporaryPrefix()}${randomUUID()}`);
      try {
        await writeFile(probe, 'writable');
      } finally {
        await rm(probe, { force: true });
      }
    },
  };
}

/** Within one file system nothing is copied. */
async function moveFile(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EXDEV')) throw error;
    await copyFile(from, to);
    await rm(from, { force: true });
  }
}

/** Also for folders: their entries survive a power cut only when they are flushed. */
async function flush(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

function isMissing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
