import { S3ServiceException } from '@aws-sdk/client-s3';

/** The store is away, refuses us or has no room. The message names the store, never a secret. */
export class StorageUnavailableError extends Error {
  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.name = 'StorageUnavailableError';
  }
}

export function isMissingObject(error: unknown): boolean {
  return error instanceof S3ServiceException && (error.name === 'NoSuchKey' || error.name === 'NotFound');
}

export function isMissingBucket(error: unknown): boolean {
  return error instanceof S3ServiceException && (error.name === 'NoSuchBucket' || error.name === 'NotFound');
}

export function isRangeBeyond(error: unknown): boolean {
  return error instanceof S3ServiceException && error.name === 'InvalidRange';
}

/** One sentence that says what to look at. */
export function storageError(error: unknown, endpoint: string, bucket: string): Error {
  if (!(error instanceof Error)) return new StorageUnavailableError(`${endpoint} failed`, error);
  // A file of this host that cannot be read is not the store's fault.
  if ('code' in error && 'path' in error) return error;
  if (error instanceof S3ServiceException) {
    return new StorageUnavailableError(`${endpoint} refused bucket ${bucket}: ${error.name}`, error);
  }
  const reason = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return new StorageUnavailableError(`the object store ${endpoint} cannot be reached: ${reason}`, error);
}
