import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Command line of a program of ours, named from the project's root without extension. It is the compiled one when this file
 * is compiled, and the source when this is the source.
 */
export function ownProgram(name: string): { command: string; args: string[] } {
  const extension = extname(fileURLToPath(import.meta.url));
  const path = fileURLToPath(new URL(`../../${name}${extension}`, import.meta.url));
  return { command: process.execPath, args: [...(extension === '.ts' ? ['--import', 'tsx'] : []), path] };
}
