import type { AspectRatio, Resolution } from '../../workflows/contract/options.js';

const shortSide: Record<Resolution, number> = { '720p': 720, '1080p': 1080, '4k': 2160 };

/** Size of the finished frames in pixels; the resolution names the short side. All numbers are even. */
export function frameSize(
  aspectRatio: AspectRatio,
  resolution: Resolution,
): { width: number; height: number } {
  const short = shortSide[resolution];
  const long = (short / 9) * 16;
  if (aspectRatio === '16:9') return { width: long, height: short };
  if (aspectRatio === '9:16') return { width: short, height: long };
  return { width: short, height: short };
}
