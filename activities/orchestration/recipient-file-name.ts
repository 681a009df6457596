import type { ArtifactId } from '../../workflows/contract/documents.js';

/** UTF-16 units of the part that is made of the name; with the rest it fits every file system. */
const maxNameLength = 60;

/**
 * Name of a recipient's file in the archive, e.g. `0007-ada-lovelace.mp4`. It begins with the row, so that names
 * that are alike stay apart and none begins with a dash or a dot, and holds letters and digits only, of any
 * script, so that it means the same on every system.
 */
export function recipientFileName(
  { row_number: row, name }: { row_number: number; name: string },
  file: ArtifactId,
): string {
  const words = name
    .normalize('NFC')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, '-')
    .slice(0, maxNameLength)
    // A cut may leave half of a pair.
    .replace(/\p{Cs}/gu, '')
    .replace(/^-+|-+$/g, '');
  const number = String(row).padStart(4, '0');
  const extension = file.slice(file.lastIndexOf('.'));
  return words === '' ? `${number}${extension}` : `${number}-${words}${extension}`;
}
