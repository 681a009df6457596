import { expect, it } from 'vitest';
import { rgbOfFrame } from '../../activities/media/frame-pixels.js';

/** A 2×2 frame of one colour. */
const frameOf = (luma: number, cb: number, cr: number) => Uint8Array.from([luma, luma, luma, luma, cb, cr]);

it('gives the colours of BT.709', () => {
  // 8-bit values of the primaries by ITU-R BT.709-6, limited range.
  const cases: [Uint8Array, [number, number, number]][] = [
    [frameOf(16, 128, 128), [0, 0, 0]],
    [frameOf(235, 128, 128), [255, 255, 255]],
    [frameOf(63, 102, 240), [255, 0, 0]],
    [frameOf(173, 42, 26), [0, 255, 0]],
    [frameOf(32, 240, 118), [0, 0, 255]],
  ];
  for (const [frame, rgb] of cases) {
    const pixels = rgbOfFrame(frame, 2, 2);
    expect(pixels).toHaveLength(12);
    rgb.forEach((value, index) => {
      expect(Math.abs((pixels[index] ?? -99) - value)).toBeLessThanOrEqual(2);
    });
  }
});

it('keeps each pixel in its place', () => {
  // Four by two pixels, black on the left and white on the right.
  const luma = [16, 16, 235, 235, 16, 16, 235, 235];
  const pixels = rgbOfFrame(Uint8Array.from([...luma, 128, 128, 128, 128]), 4, 2);
  const firsts = Array.from({ length: 8 }, (_, index) => pixels[index * 3]);
  expect(firsts).toEqual([0, 0, 255, 255, 0, 0, 255, 255]);
});
