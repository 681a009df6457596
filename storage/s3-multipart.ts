import { open, type FileHandle } from 'node:fs/promises';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  UploadPartCommand,
  type CompletedPart,
  type ListMultipartUploadsCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3';

const MiB = 1024 * 1024;

/** Files of this size and more are uploaded in parts. */
export const multipartFromBytes = 16 * MiB;
const leastPartBytes = 8 * MiB;
/** S3 allows 10,000; https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const mostParts = 9_000;
/** Parts in memory at once. */
const parallelParts = 3;

export interface UploadTarget {
  bucket: string;
  key: string;
  contentType: string;
}

/**
 * Uploads a big file with the memory of a few parts. The object appears when the last part is confirmed; a failed upload
 * is taken back.
 */
export async function uploadInParts(
  client: S3Client,
  target: UploadTarget,
  source: { path: string; bytes: number },
): Promise<void> {
  const place = { Bucket: target.bucket, Key: target.key };
  const { UploadId } = await client.send(
    new CreateMultipartUploadCommand({
      ...place,
      ContentType: target.contentType,
      ChecksumAlgorithm: 'CRC32',
    }),
  );
  try {
    const parts = await uploadParts(client, { ...place, UploadId }, source);
    await client.send(
      new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload: { Parts: parts } }),
    );
  } catch (error) {
    // The store may be away; what it then keeps is removed by the collector.
    await client.send(new AbortMultipartUploadCommand({ ...place, UploadId })).catch(() => undefined);
    throw error;
  }
}

/**
 * Takes uploads back that were begun before then and never completed, as a killed process leaves them: their parts are
 * stored and paid for, and no list of objects shows them. Answers how many there were.
 */
export async function abortUploads(
  client: S3Client,
  { bucket, prefix, before }: { bucket: string; prefix: string; before: Date },
): Promise<number> {
  let count = 0;
  let from: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined = {};
  while (from !== undefined) {
    const found: ListMultipartUploadsCommandOutput = await client.send(
      new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...from }),
    );
    for (const { Key, UploadId, Initiated } of found.Uploads ?? []) {
      if (Key === undefined || Initiated === undefined || Initiated >= before) continue;
      await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }));
      count += 1;
    }
    const { IsTruncated, NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = found;
    from = IsTruncated === true ? { KeyMarker, UploadIdMarker } : undefined;
  }
  return count;
}

async function uploadParts(
  client: S3Client,
  upload: { Bucket: string; Key: string; UploadId: string | undefined },
  source: { path: string; bytes: number },
): Promise<CompletedPart[]> {
  const partBytes = Math.max(leastPartBytes, Math.ceil(source.bytes / mostParts));
  const count = Math.ceil(source.bytes / partBytes);
  const done: CompletedPart[] = [];
  const file = await open(source.path, 'r');
  let next = 1;
  let failed = false;
  const work = async () => {
    while (next <= count && !failed) {
      const number = next++;
      const offset = (number - 1) * partBytes;
      const bytes = await readExactly(file, offset, Math.min(partBytes, source.bytes - offset));
      const sent = await client.send(
        new UploadPartCommand({ ...upload, PartNumber: number, Body: bytes, ChecksumAlgorithm: 'CRC32' }),
      );
      done.push({ PartNumber: number, ETag: sent.ETag, ChecksumCRC32: sent.ChecksumCRC32 });
    }
  };
  try {
    const workers = Array.from({ length: parallelParts }, () =>
      work().catch((error: unknown) => {
        failed = true;
        throw error;
      }),
    );
    const outcomes = await Promise.allSettled(workers);
    const broken = outcomes.find((outcome) => outcome.status === 'rejected');
    if (broken !== undefined) throw broken.reason as Error;
  } finally {
    await file.close();
  }
  return done.sort((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
}

async function readExactly(file: FileHandle, offset: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes);
  let filled = 0;
  while (filled < bytes) {
    const { bytesRead } = await file.read(buffer, filled, bytes - filled, offset + filled);
    if (bytesRead === 0) throw new Error('the file became shorter while it was uploaded');
    filled += bytesRead;
  }
  return buffer;
}
