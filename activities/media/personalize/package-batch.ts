import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
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
        const archive = new yazl.ZipFile();
        const written = pipeline(archive.outputStream, createWriteStream(target), { signal });
        archive.addBuffer(table, 'report.csv', { mtime: entryTime, compress: false });
        files.forEach(({ artifact, name }, index) => {
          const options = { mtime: entryTime, compress: false };
          // Opened when its turn comes: ten thousand open files would be too many.
          archive.addReadStreamLazy(name, options, (give) => {
            report(index / files.length);
            openFile(deps, artifact).then(
              (stream) => {
                give(null, stream);
              },
              (error: unknown) => {
                give(error, Readable.from([]));
              },
            );
          });
        });
        archive.end();
        await Promise.race([written, failureOf(archive)]);
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
    if (page.length < recipientsAtOnce) return all;
  }
}

/** Rejects with what the archive's writer could not read. */
function failureOf(archive: yazl.ZipFile): Promise<never> {
  return new Promise((_resolve, reject) => {
    archive.once('error', reject);
  });
}

async function openFile(deps: PackageDeps, artifact: ArtifactId): Promise<Readable> {
  return createReadStream(await deps.artifacts.fetch(artifact));
}
