import { CreateBucketCommand, HeadBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { isMissingBucket, storageError } from './s3-errors.js';
import type { S3StorageOptions } from './s3.js';

/** Makes the bucket unless it is there. @returns whether it was made. */
export async function ensureBucket(options: S3StorageOptions): Promise<boolean> {
  const { endpoint, region, bucket, credentials, forcePathStyle } = options;
  const client = new S3Client({
    region,
    forcePathStyle,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
  });
  try {
    return await client.send(new HeadBucketCommand({ Bucket: bucket })).then(
      () => false,
      async (error: unknown) => {
        if (!isMissingBucket(error)) throw error;
        await client.send(new CreateBucketCommand({ Bucket: bucket }));
        return true;
      },
    );
  } catch (error) {
    throw storageError(error, endpoint ?? 'Amazon S3', bucket);
  } finally {
    client.destroy();
  }
}
