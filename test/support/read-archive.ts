import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import yauzl from 'yauzl';

export interface ArchiveEntry {
  name: string;
  /** 0 where the bytes are stored as they are. */
  compressionMethod: number;
  bytes: Buffer;
}

/** Every entry of a ZIP, in its order, read back by another program than wrote it. */
export async function readArchive(path: string): Promise<ArchiveEntry[]> {
  const open = promisify<string, yauzl.Options, yauzl.ZipFile>(yauzl.open);
  // Strict: a name that would leave the folder it is unpacked into is an error.
  const zip = await open(path, { lazyEntries: true, strictFileNames: true });
  const entries: ArchiveEntry[] = [];
  await new Promise<void>((resolve, reject) => {
    zip.on('error', reject);
    zip.on('end', resolve);
    zip.on('entry', (entry: yauzl.Entry) => {
      zip.openReadStream(entry, (error, stream) => {
        if (error !== null) {
          reject(error);
          return;
        }
        buffer(stream).then((bytes) => {
          entries.push({ name: entry.fileName, compressionMethod: entry.compressionMethod, bytes });
          zip.readEntry();
        }, reject);
      });
    });
    zip.readEntry();
  });
  return entries;
}
