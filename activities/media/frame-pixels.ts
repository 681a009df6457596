/** A colour sample of 0–255 for a value beyond either end. */
const clamped = (value: number): number => (value < 0 ? 0 : value > 255 ? 255 : value);

/**
 * One planar 4:2:0 frame (BT.709, limited range) → packed RGB, 8 bits a sample. Each chroma sample serves its
 * four pixels, which is enough for a picture that is made smaller afterwards. Width and height are even.
 * Source of the factors: ITU-R BT.709-6, items 3.2 to 3.5.
 */
export function rgbOfFrame(frame: Uint8Array, width: number, height: number): Buffer {
  const rgb = Buffer.allocUnsafe(width * height * 3);
  const chromaWidth = width / 2;
  const blue = width * height;
  const red = blue + blue / 4;
  let to = 0;
  for (let y = 0; y < height; y++) {
    const chromaRow = (y >> 1) * chromaWidth;
    for (let x = 0; x < width; x++) {
      const luma = 1.164383 * ((frame[y * width + x] ?? 0) - 16);
      const at = chromaRow + (x >> 1);
      const cb = (frame[blue + at] ?? 0) - 128;
      const cr = (frame[red + at] ?? 0) - 128;
      rgb[to] = clamped(Math.round(luma + 1.792741 * cr));
      rgb[to + 1] = clamped(Math.round(luma - 0.213249 * cb - 0.532909 * cr));
      rgb[to + 2] = clamped(Math.round(luma + 2.112402 * cb));
      to += 3;
    }
  }
  return rgb;
}
