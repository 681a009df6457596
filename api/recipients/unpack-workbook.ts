import { Readable } from 'node:stream';
import yauzl from 'yauzl';
import yazl from 'yazl';
import { asCsv, RecipientsRefusedError, refuseFile } from './recipient-rows.js';

/** Of the parts that are read: 10,000 rows of fifteen columns, more or less. */
const maxUnpackedBytes = 16 * 1024 ** 2;
const maxEntries = 500;

/**
 * The parts of a workbook that say what stands in its cells, as an archive of stored files. Who reads workbooks inflates
 * what comes, whatever its size; here yauzl ends an entry that is longer than the archive's index says, and the index
 * says how much all are together.
 * @throws RecipientsRefusedError
 */
export async function unpackWorkbook(bytes: Uint8Array): Promise<Readable> {
  const archive = await yauzl.fromBufferPromise(Buffer.from(bytes), { lazyEntries: true }).catch(notWhole);
  if (archive.entryCount > maxEntries) throw tooLarge();
  const stored = new yazl.ZipFile();
  let unpacked = 0;
  try {
    for await (const entry of archive.eachEntry()) {
      // Pictures and printers' settings are of no use here.
      if (!/\.xml(\.rels)?$/.test(entry.fileName)) continue;
      unpacked += entry.uncompressedSize;
      if (unpacked > maxUnpackedBytes) throw tooLarge();
      const part = Buffer.alloc(entry.uncompressedSize);
      let filled = 0;
      for await (const chunk of (await archive.openReadStreamPromise(entry)) as AsyncIterable<Buffer>) {
        filled += chunk.copy(part, filled);
      }
      stored.addBuffer(part, entry.fileName, { compress: false });
    }
  } catch (error) {
    if (error instanceof RecipientsRefusedError) throw error;
    notWhole();
  }
  stored.end();
  return Readable.from(stored.outputStream);
}

const tooLarge = () =>
  refuseFile(`the workbook unpacks to far more than a table of recipients needs; ${asCsv}`);

function notWhole(): never {
  throw refuseFile('the file is not a whole XLSX workbook');
}
