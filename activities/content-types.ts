const contentTypes: Record<string, string> = {
  aac: 'audio/aac',
  ass: 'text/x-ssa; charset=utf-8',
  bin: 'application/octet-stream',
  csv: 'text/csv; charset=utf-8',
  h264: 'video/h264',
  jpg: 'image/jpeg',
  json: 'application/json',
  m4a: 'audio/mp4',
  mkv: 'video/x-matroska',
  mp3: 'audio/mpeg',
  mp4: 'video/mp4',
  png: 'image/png',
  raw: 'application/octet-stream',
  srt: 'application/x-subrip; charset=utf-8',
  ts: 'video/mp2t',
  txt: 'text/plain; charset=utf-8',
  vtt: 'text/vtt; charset=utf-8',
  wav: 'audio/wav',
  webp: 'image/webp',
  zip: 'application/zip',
};

/** Content type that an artifact's extension (without dot) stands for. */
export function contentTypeOf(extension: string): string {
  return contentTypes[extension] ?? 'application/octet-stream';
}
