import { open } from 'node:fs/promises';
import { fileTypeFromBuffer, fileTypeFromFile } from 'file-type';

/** What a file is by its content. `demuxer`: the only one of ffmpeg's that may read it. */
export type FileFormat = { extension: string; contentType: string } & (
  { family: 'picture' } | { family: 'sheet' } | { family: 'media'; demuxer: string; container: Container }
);

export type Container = 'mp4' | 'matroska' | 'wav' | 'other';

const media = (demuxer: string, contentType: string, extension: string, container: Container = 'other') =>
  ({ family: 'media', demuxer, contentType, extension, container }) as const;
const picture = (contentType: string, extension: string) =>
  ({ family: 'picture', contentType, extension }) as const;
const xlsxType = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';

/** By file-type's extension. */
const formats: Record<string, FileFormat> = {
  jpg: picture('image/jpeg', 'jpg'),
  png: picture('image/png', 'png'),
  apng: picture('image/png', 'png'),
  webp: picture('image/webp', 'webp'),
  mp4: media('mov', 'video/mp4', 'mp4', 'mp4'),
  m4v: media('mov', 'video/mp4', 'mp4', 'mp4'),
  m4a: media('mov', 'audio/mp4', 'm4a', 'mp4'),
  m4b: media('mov', 'audio/mp4', 'm4a', 'mp4'),
  '3gp': media('mov', 'video/3gpp', '3gp', 'mp4'),
  '3g2': media('mov', 'video/3gpp2', '3g2', 'mp4'),
  mov: media('mov', 'video/quicktime', 'mov', 'mp4'),
  webm: media('matroska', 'video/webm', 'webm', 'matroska'),
  mkv: media('matroska', 'video/x-matroska', 'mkv', 'matroska'),
  mp3: media('mp3', 'audio/mpeg', 'mp3'),
  wav: media('wav', 'audio/wav', 'wav', 'wav'),
  flac: media('flac', 'audio/flac', 'flac'),
  ogg: media('ogg', 'audio/ogg', 'ogg'),
  oga: media('ogg', 'audio/ogg', 'ogg'),
  opus: media('ogg', 'audio/ogg', 'ogg'),
  aac: media('aac', 'audio/aac', 'aac'),
  aif: media('aiff', 'audio/aiff', 'aiff'),
  xlsx: { family: 'sheet', contentType: xlsxType, extension: 'xlsx' },
};

/** Text that is nothing else; whoever reads it finds out whether it is a table. */
const table: FileFormat = { family: 'sheet', contentType: 'text/csv', extension: 'csv' };

/** Enough for every signature, and for a judgement of text. */
const headBytes = 64 * 1024;

/** Undefined for what is none of the formats that are taken. The file's name plays no part. */
export async function sniffFile(path: string): Promise<FileFormat | undefined> {
  const head = await readHead(path);
  if (isUtf16(head)) return table;
  // A spreadsheet is known by its directory's entries, which need not stand in the first bytes.
  const isZip = head.subarray(0, 4).toString('latin1') === 'PK\x03\x04';
  const found = isZip ? await fileTypeFromFile(path) : await fileTypeFromBuffer(head);
  if (found === undefined) {
    return head.length > 0 && !head.includes(0) ? table : undefined;
  }
  return formats[found.ext];
}

async function readHead(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const head = Buffer.alloc(headBytes);
    const { bytesRead } = await file.read(head, 0, headBytes, 0);
    return head.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** By its mark. One of the two is also how an MPEG layer begins that nobody takes. */
const isUtf16 = (head: Buffer): boolean => ['fffe', 'feff'].includes(head.toString('hex', 0, 2));
