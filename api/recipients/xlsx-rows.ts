import { Worker } from 'node:worker_threads';
import yauzl from 'yauzl';
import { maxColumns, refuseFile, type TableRow } from './recipient-rows.js';

/** Of the unpacked file: a table of 10,000 recipients has a few. */
const maxUnpackedBytes = 100 * 1024 ** 2;
const maxEntries = 500;
/** For the thread that reads, so that a hostile file costs this much at most. */
const maxHeapMegabytes = 192;
const timeoutMs = 10_000;

/**
 * Reads the first sheet of a workbook. It is unpacked and parsed in a thread with bounded memory and time, after
 * a look at what it says to unpack to.
 * @throws RecipientsRefusedError
 */
export async function readXlsxRows(bytes: Uint8Array): Promise<TableRow[]> {
  await checkArchive(bytes);
  const cells = await readInThread(bytes);
  if (cells.some((row) => row.length > maxColumns)) {
    throw refuseFile(`the sheet has more than ${maxColumns} columns`);
  }
  return cells.map((row, index) => ({ number: index + 1, cells: row }));
}

/** What the thread sends back. */
export type SheetAnswer = { rows: string[][] } | { refusal: string };

function readInThread(bytes: Uint8Array): Promise<string[][]> {
  const entry = import.meta.url.endsWith('.ts') ? './xlsx-thread-from-source.mjs' : './xlsx-thread.js';
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL(entry, import.meta.url), {
      workerData: bytes,
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMegabytes, maxYoungGenerationSizeMb: 32 },
      stderr: true,
    });
    const timer = setTimeout(() => {
      reject(refuseFile('the workbook takes too long to read'));
      void thread.terminate();
    }, timeoutMs);
    thread.once('message', (answer: SheetAnswer) => {
      if ('rows' in answer) resolve(answer.rows);
      else reject(refuseFile(answer.refusal));
      void thread.terminate();
    });
    // Out of memory, most of all: a sheet that says it has a billion rows.
    thread.once('error', () => {
      reject(refuseFile('the workbook cannot be read'));
    });
    thread.once('exit', () => {
      clearTimeout(timer);
      reject(refuseFile('the workbook cannot be read'));
    });
  });
}

/** The archive's own index bounds what is unpacked; yauzl refuses names that leave the archive. */
function checkArchive(bytes: Uint8Array): Promise<void> {
  const broken = () => refuseFile('the file is not a whole XLSX workbook');
  return new Promise((resolve, reject) => {
    yauzl.fromBuffer(Buffer.from(bytes), { lazyEntries: true }, (error, archive) => {
      if (error !== null) {
        reject(broken());
        return;
      }
      let unpacked = 0;
      archive.on('error', () => {
        reject(broken());
      });
      archive.on('entry', (entry: yauzl.Entry) => {
        unpacked += entry.uncompressedSize;
        if (archive.entryCount > maxEntries || unpacked > maxUnpackedBytes) {
          reject(refuseFile('the workbook unpacks to far more than a table of recipients needs'));
          return;
        }
        archive.readEntry();
      });
      archive.on('end', () => {
        resolve();
      });
      archive.readEntry();
    });
  });
}
