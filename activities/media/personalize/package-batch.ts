import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import yazl from 'yazl';
import type { RecipientRow } from '../../../db/recipients.js';
import type { ArtifactId } from '../../../workflows/contract/documents.js';
import type { PackageBatchInput, PackageBatchResult } from '../../../workflows/contract/personalized.js';
import type { ArtifactStore } from '../../artifacts.js';
import { withHeartbeat } from '../../heartbeat.js';
import { withScratch } from '../../scratch.js';
import { reportCsv } from './report-csv.js';

export interface PackageDeps {
  artifacts: Pick<ArtifactStore, 'fetch' | 'publishFile' | 'publishBytes'>;
  scratchDir: string;
  /** Recipients of a job, positions `from` up to but without `to`, in order. */
  listRecipients(jobId: string, range: { from: number; to: number }): Promise<RecipientRow[]>;
}

const recipientsAtOnce = 500;

/** The time that every entry carries: the same files make the same archive. */
const entryTime = new Date(Date.UTC(2000, 0, 1));

/**
 * All delivered files and the report in one archive. Files are stored as they are, since video does not deflate; the
 * archive goes to disk as it is read, so that memory does not grow with it, and beyond 4 GB it is Zip64.
 */
export function createPackageBatch(deps: PackageDeps) {
  return async function packageBatch({ jobId }: PackageBatchInput): Promise<PackageBatchResult> {
    return withHeartbeat('packaging', 0, ({ signal, report }) =>
      withScratch(deps.scratchDir, async (dir) => {
        const recipients = await listAll(deps, jobId);
        const files = recipients.flatMap(({ file_artifact: artifact, file_name: name }) =>
          artifact === null || name === null ? [] : [{ artifact, name }],
        );
        const table = Buffer.from(reportCsv(recipients), 'utf8');
        const target = join(dir, 'videos.zip');
        await writeArchive(deps, { target, table, files, signal, report });
        const { size } = await stat(target);
        signal.throwIfAborted();
        return {
          archive: await deps.artifacts.publishFile(target, 'zip'),
          report: await deps.artifacts.publishBytes(table, 'csv'),
          delivered: files.length,
          failed: recipients.length - files.length,
          bytes: size,
          cached: false,
        };
      }),
    );
  };
}

async function listAll(deps: PackageDeps, jobId: string): Promise<RecipientRow[]> {
  const all: RecipientRow[] = [];
  for (;;) {
    const page = await deps.listRecipients(jobId, { from: all.length, to: all.length + recipientsAtOnce });
    all.push(...page);
    // Those that a retry took over come last.
    if (page.length < recipientsAtOnce) return all.sort((a, b) => a.row_number - b.row_number);
  }
}

interface Archive {
  target: string;
  table: Buffer;
  files: readonly { artifact: ArtifactId; name: string }[];
  signal: AbortSignal;
  report: (fraction: number) => void;
}

/** @throws what could not be read or written; then nothing is left open. */
async function writeArchive(deps: PackageDeps, { target, table, files, signal, report }: Archive) {
  const archive = new yazl.ZipFile();
  const broken = new AbortController();
  const fail = (error: unknown) => {
    broken.abort(error);
  };
  archive.on('error', fail);
  const ended = AbortSignal.any([signal, broken.signal]);
  const written = pipeline(archive.outputStream, createWriteStream(target), { signal: ended });
  const options = { mtime: entryTime, compress: false };
  archive.addBuffer(table, 'report.csv', options);
  let current: Readable | undefined;
  files.forEach(({ artifact, name }, index) => {
    // Opened when its turn comes: ten thousand open files would be too many.
    archive.addReadStreamLazy(name, options, (give) => {
      report(index / files.length);
      deps.artifacts.fetch(artifact).then((path) => {
        if (ended.aborted) return;
        current = createReadStream(path);
        // The archive's writer listens to no errors of streams that it gets lazily.
        current.once('error', fail);
        give(null, current);
      }, fail);
    });
  });
  archive.end();
  try {
    await written;
  } catch (error) {
    current?.destroy();
    const reason: unknown = broken.signal.aborted ? broken.signal.reason : error;
    throw reason;
  }
}
