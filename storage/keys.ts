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

/** Of all that is stored. */
export const prefixes = { artifacts: 'artifacts/', uploads: 'uploads/', thumbnails: 'thumbnails/' } as const;

/** How long the address of a direct upload takes bytes. */
export const uploadSeconds = 3600;

/** Where what is sent directly lies until it is looked at. */
export const uploadKey = (uploadId: string): string => prefixes.uploads + uploadId;

/** A bounded set, so that nobody fills the storage with a copy for each pixel. */
export const thumbnailWidths = [160, 320, 480, 640, 960, 1280, 1920] as const;

/** Where a picture's copy of a width lies. `picture`: the sha256 of the picture. */
export const thumbnailKey = (picture: string, width: number): string =>
  `${prefixes.thumbnails}${picture}-${String(width)}.webp`;

/** Where the picture lies that stands for a missing one. `drawn`: a hash of all that it shows. */
export const fallbackKey = (drawn: string): string => `${prefixes.thumbnails}title-${drawn}.webp`;

/** Where all copies of an artifact's picture may lie. */
export const thumbnailKeys = (artifactId: string): string[] =>
  thumbnailWidths.map((width) => thumbnailKey(artifactId.replace(/\..*$/, ''), width));
