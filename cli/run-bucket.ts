import type { Config } from '../config.js';
import { ensureBucket } from '../storage/s3-bucket.js';

/** Makes the configured bucket, so that a new deployment starts without a step by hand. */
export async function runBucket(_args: readonly string[], config: Config): Promise<number> {
  if (config.storage.kind !== 's3')
    throw new Error('files are kept in a folder: set STORAGE=s3 to use a bucket');
  const isNew = await ensureBucket(config.storage);
  process.stdout.write(`bucket ${config.storage.bucket} ${isNew ? 'made' : 'is there'}\n`);
  return 0;
}
