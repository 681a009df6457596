/**
 * Builds the compositor's pixel loops, activities/media/compositor/kernel.as.ts, into kernel-bytes.ts beside
 * it. The result is committed, so that nobody needs this who does not change the loops; a test says when the
 * two differ. Run: `node cli/build-kernel.mjs`.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const folder = new URL('../activities/media/compositor/', import.meta.url);

/** @returns {Promise<string>} the TypeScript text of kernel-bytes.ts */
export async function buildKernel() {
  const source = await readFile(new URL('kernel.as.ts', folder), 'utf8');
  const { error, stderr, binary } = await asc.compileString(source, {
    optimizeLevel: 3,
    shrinkLevel: 0,
    converge: true,
    runtime: 'stub',
    noAssert: true,
    enable: ['simd', 'threads', 'bulk-memory'],
    importMemory: true,
    sharedMemory: true,
    initialMemory: 1,
    maximumMemory: 32768,
  });
  if (error || !binary) throw new Error(`the kernel does not compile:\n${stderr.toString()}`);
  const lines =
    Buffer.from(binary)
      .toString('base64')
      .match(/.{1,100}/g) ?? [];
  return [
    '/** WebAssembly of kernel.as.ts in base64, written by cli/build-kernel.mjs. */',
    'export const kernelBase64 = `',
    ...lines,
    '`;',
    '',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(new URL('kernel-bytes.ts', folder), await buildKernel());
}
