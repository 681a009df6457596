import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const tailBytes = 4096;

/** The end of a log file, for an error message; empty when there is none. */
export function lastLines(path: string, count = 12): string {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return '';
  }
  try {
    const size = fstatSync(file).size;
    const buffer = Buffer.alloc(Math.min(size, tailBytes));
    readSync(file, buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString('utf8').trimEnd().split('\n').slice(-count).join('\n');
  } finally {
    closeSync(file);
  }
}
