import { readFile, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { assertKey, prefixes } from './keys.js';
import { isMissingObject, isRangeBeyond, storageError } from './s3-errors.js';
import { abortUploads, multipartFromBytes, uploadInParts } from './s3-multipart.js';
import { ObjectMissingError, type Storage } from './storage.js';

export interface S3StorageOptions {
  /** Absent for AWS itself. */
  endpoint?: string | undefined;
  /** Where clients of ours reach the store for direct uploads, if that is another address than ours. */
  publicEndpoint?: string | undefined;
  region: string;
  bucket: string;
  /** Absent: the SDK's own chain (instance role, shared file). */
  credentials?: { accessKeyId: string; secretAccessKey: string } | undefined;
  /** `endpoint/bucket/key` instead of `bucket.endpoint/key`. */
  forcePathStyle: boolean;
  connectTimeoutMs?: number;
  /** How long the store may be silent within a request. */
  idleTimeoutMs?: number;
  maxAttempts?: number;
}

/**
 * Objects in a bucket of any S3-compatible store. Requests are tried again with back-off; what fails then is a
 * StorageUnavailableError.
 */
export function createS3Storage(options: S3StorageOptions): Storage {
  const bucket = options.bucket;
  const place = {
    region: options.region,
    forcePathStyle: options.forcePathStyle,
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
  };
  const presigner = new S3Client({
    ...place,
    ...(options.publicEndpoint === undefined ? {} : { endpoint: options.publicEndpoint }),
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  const client = new S3Client({
    ...place,
    maxAttempts: options.maxAttempts ?? 4,
    requestHandler: {
      connectionTimeout: options.connectTimeoutMs ?? 5_000,
      socketTimeout: options.idleTimeoutMs ?? 30_000,
    },
  });
  const failed = (error: unknown) => storageError(error, options.endpoint ?? 'Amazon S3', bucket);

  async function putObject(key: string, bytes: Uint8Array, contentType: string): Promise<void> {
    const object = { Bucket: bucket, Key: key, Body: bytes, ContentType: contentType };
    await client.send(new PutObjectCommand(object)).catch(rethrow(failed));
  }

  async function putFile(key: string, path: string, contentType: string): Promise<void> {
    assertKey(key);
    const { size } = await stat(path);
    if (size < multipartFromBytes) {
      await putObject(key, await readFile(path), contentType);
      return;
    }
    const target = { bucket, key, contentType };
    await uploadInParts(client, target, { path, bytes: size }).catch(rethrow(failed));
  }

  return {
    putFile,
    takeFile: putFile,

    async putBytes(key, bytes, contentType) {
      assertKey(key);
      await putObject(key, bytes, contentType);
    },

    async head(key) {
      assertKey(key);
      try {
        const found = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
        return {
          bytes: found.ContentLength ?? 0,
          contentType: found.ContentType ?? 'application/octet-stream',
        };
      } catch (error) {
        if (isMissingObject(error)) return undefined;
        throw failed(error);
      }
    },

    async read(key, range) {
      assertKey(key);
      try {
        const found = await client.send(
          new GetObjectCommand({
            Bucket: bucket,
            Key: key,
            ...(range === undefined ? {} : { Range: `bytes=${String(range.start)}-${String(range.end)}` }),
          }),
        );
        if (found.Body instanceof Readable) return found.Body;
        throw new Error('the store sent no body');
      } catch (error) {
        if (isMissingObject(error)) throw new ObjectMissingError(key);
        if (isRangeBeyond(error)) throw new RangeError('range beyond the object', { cause: error });
        throw failed(error);
      }
    },

    async delete(key) {
      assertKey(key);
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key })).catch(rethrow(failed));
    },

    async presignPut(key, { bytes, expiresSeconds }) {
      assertKey(key);
      // Without a checksum: it would be that of the empty body that is signed here.
      const command = new PutObjectCommand({ Bucket: bucket, Key: key, ContentLength: bytes });
      const signing = { expiresIn: expiresSeconds, signableHeaders: new Set(['host', 'content-length']) };
      return await getSignedUrl(presigner, command, signing).catch(rethrow(failed));
    },

    async *list(prefix) {
      assertKey(`${prefix}x`);
      let token: string | undefined;
      do {
        const found = await client
          .send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token }))
          .catch(rethrow(failed));
        yield (found.Contents ?? []).flatMap(({ Key, LastModified }) =>
          Key === undefined || LastModified === undefined ? [] : [{ key: Key, modifiedAt: LastModified }],
        );
        token = found.NextContinuationToken;
      } while (token !== undefined);
    },

    async removeUnfinished(before) {
      let count = 0;
      // The bucket may be shared: what is not ours is not looked at.
      for (const prefix of Object.values(prefixes)) {
        count += await abortUploads(client, { bucket, prefix, before }).catch(rethrow(failed));
      }
      return count;
    },

    localPath: () => undefined,

    async check() {
      await putObject('readiness-check', Buffer.from('writable'), 'text/plain');
    },
  };
}

function rethrow(map: (error: unknown) => Error): (error: unknown) => never {
  return (error) => {
    throw map(error);
  };
}
