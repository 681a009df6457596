const keyPattern = /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/;
const longestKey = 512;

/**
 * Lets only names through that mean the same in every adapter and cannot leave the store: no empty or dotted
 * segments, no escapes.
 * @throws TypeError, because keys are ours and never a user's.
 */
export function assertKey(key: string): void {
  if (key.length > longestKey || !keyPattern.test(key)) throw new TypeError('not a storage key');
}

/** How long the address of a direct upload takes bytes. */
export const uploadSeconds = 3600;

/** Where what is sent directly lies until it is looked at. */
export const uploadKey = (uploadId: string): string => `uploads/${uploadId}`;
