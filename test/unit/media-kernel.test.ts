import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
// @ts-expect-error a build script without types
import { buildKernel } from '../../cli/build-kernel.mjs';

it('the committed kernel is what its source compiles to', async () => {
  const committed = await readFile(
    new URL('../../activities/media/compositor/kernel-bytes.ts', import.meta.url),
    'utf8',
  );
  expect(committed.replace(/\s/g, '')).toBe(String(await buildKernel()).replace(/\s/g, ''));
}, 30_000);
