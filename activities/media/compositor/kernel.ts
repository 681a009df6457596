import { kernelBase64 } from './kernel-bytes.js';

/** The pixel loops of kernel.as.ts, where they are described. Arguments are byte offsets in `memory` and sizes. */
export interface Kernel {
  memory: WebAssembly.Memory;
  mixBytes: Loop;
  warpPlane: Loop;
  blendSpans: Loop;
  convertOpaque: Loop;
  convertAlpha: Loop;
}

type Loop = (...sizes: number[]) => void;

const pageBytes = 65_536;
const mostPages = 32_768;

let compiled: WebAssembly.Module | undefined;

/** Shared memory of at least `bytes`, for one {@link loadKernel} in any thread. */
export function kernelMemory(bytes: number): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: Math.ceil(bytes / pageBytes), maximum: mostPages, shared: true });
}

export function loadKernel(memory: WebAssembly.Memory): Kernel {
  compiled ??= new WebAssembly.Module(Buffer.from(kernelBase64, 'base64'));
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
  const loop = (name: string): Loop => {
    const found = exports[name];
    if (!found) throw new Error(`the kernel has no ${name}`);
    return found;
  };
  return {
    memory,
    mixBytes: loop('mixBytes'),
    warpPlane: loop('warpPlane'),
    blendSpans: loop('blendSpans'),
    convertOpaque: loop('convertOpaque'),
    convertAlpha: loop('convertAlpha'),
  };
}
