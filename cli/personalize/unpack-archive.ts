import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import yauzl from 'yauzl';

const open = promisify<string, yauzl.Options, yauzl.ZipFile>(yauzl.open);

/** Of a file system's usual 255 bytes, some are left for the draft's name. */
const longestName = 240;

/**
 * Unpacks an archive's files into a folder, each complete or not at all. Nothing is written where a name would leave
 * the folder, or would replace a file that may not be replaced.
 * @returns their names, in the archive's order, and how many bytes they have
 */
export async function unpackArchive(
  archive: string,
  folder: string,
  { force, signal }: { force: boolean; signal?: AbortSignal },
): Promise<{ names: string[]; bytes: number }> {
  const zip = await open(archive, { lazyEntries: true, autoClose: false, strictFileNames: true });
  try {
    const entries = await entriesOf(zip);
    for (const { fileName } of entries) {
      if (!isPlainName(fileName))
        throw new Error(`the archive has a file with the unsafe name "${fileName}"`);
      if (force) continue;
      const there = await stat(join(folder, fileName)).catch(() => undefined);
      if (there !== undefined)
        throw new Error(`${join(folder, fileName)} is there already; --force replaces it`);
    }
    const openStream = promisify<yauzl.Entry, NodeJS.ReadableStream>(zip.openReadStream.bind(zip));
    for (const entry of entries) {
      const path = join(folder, entry.fileName);
      const draft = `${path}.part`;
      try {
        await pipeline(await openStream(entry), createWriteStream(draft), { signal });
        await rename(draft, path);
      } finally {
        await rm(draft, { force: true });
      }
    }
    return {
      names: entries.map(({ fileName }) => fileName),
      bytes: entries.reduce((sum, { uncompressedSize }) => sum + uncompressedSize, 0),
    };
  } finally {
    zip.close();
  }
}

/** Names a file of the folder itself, on any system, and shows nothing but what it is. */
export function isPlainName(name: string): boolean {
  const isShort = Buffer.byteLength(name) <= longestName;
  return name !== '' && isShort && !/[/\\:*?"<>|\p{C}]|^\.|[. ]$/u.test(name);
}

function entriesOf(zip: yauzl.ZipFile): Promise<yauzl.Entry[]> {
  return new Promise((resolve, reject) => {
    const entries: yauzl.Entry[] = [];
    zip.on('entry', (entry: yauzl.Entry) => {
      entries.push(entry);
      zip.readEntry();
    });
    zip.on('end', () => resolve(entries));
    zip.on('error', reject);
    zip.readEntry();
  });
}
