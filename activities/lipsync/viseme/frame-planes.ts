import type { RgbPicture } from './face-models.js';

/** One planar 4:2:0 frame, 8 bits, BT.709 limited range. */
export interface FramePlanes {
  width: number;
  height: number;
  luma: Uint8Array;
  blue: Uint8Array;
  red: Uint8Array;
}

/** Views on the planes of a frame's bytes, without a copy. Width and height are even. */
export function planesOf(bytes: Uint8Array, width: number, height: number): FramePlanes {
  const size = width * height;
  return {
    width,
    height,
    luma: bytes.subarray(0, size),
    blue: bytes.subarray(size, size + size / 4),
    red: bytes.subarray(size + size / 4, size + size / 2),
  };
}

/** Where a picture's pixel (column, row) lies in the frame: origin + column · right + row · down, in pixels. */
export interface Placement {
  originX: number;
  originY: number;
  rightX: number;
  rightY: number;
  downX: number;
  downY: number;
}

/** A smaller RGB picture of the whole frame, `longSide` pixels at most, and how much smaller it is. */
export function shrunk(frame: FramePlanes, longSide: number): { picture: RgbPicture; scale: number } {
  const scale = Math.max(1, Math.max(frame.width, frame.height) / longSide);
  const width = Math.max(1, Math.floor(frame.width / scale));
  const height = Math.max(1, Math.floor(frame.height / scale));
  const half = (scale - 1) / 2;
  const placement = { originX: half, originY: half, rightX: scale, rightY: 0, downX: 0, downY: scale };
  return { picture: sampleRgb(frame, placement, width, height), scale };
}

/**
 * A picture cut out of the frame along a placement, as RGB. What is made smaller is averaged over its area;
 * beyond the frame's edge its outermost pixels go on.
 */
export function sampleRgb(frame: FramePlanes, place: Placement, width: number, height: number): RgbPicture {
  const data = new Uint8Array(width * height * 3);
  const step = Math.hypot(place.rightX, place.rightY);
  // Each tap takes in four pixels already.
  const taps = Math.min(4, Math.max(1, Math.round(step / 1.7)));
  let to = 0;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      let y = 0;
      let cb = 0;
      let cr = 0;
      for (let tap = 0; tap < taps * taps; tap++) {
        const c = column + ((tap % taps) + 0.5) / taps - 0.5;
        const r = row + (Math.floor(tap / taps) + 0.5) / taps - 0.5;
        const px = place.originX + c * place.rightX + r * place.downX;
        const py = place.originY + c * place.rightY + r * place.downY;
        y += bilinear(frame.luma, frame.width, frame.height, px, py);
        const near = nearestChroma(frame, px, py);
        cb += frame.blue[near] ?? 128;
        cr += frame.red[near] ?? 128;
      }
      const count = taps * taps;
      const luma = 1.164383 * (y / count - 16);
      const blue = cb / count - 128;
      const red = cr / count - 128;
      // ITU-R BT.709-6, items 3.2 to 3.5.
      data[to] = byte(luma + 1.792741 * red);
      data[to + 1] = byte(luma - 0.213249 * blue - 0.532909 * red);
      data[to + 2] = byte(luma + 2.112402 * blue);
      to += 3;
    }
  }
  return { data, width, height };
}

const byte = (value: number): number => (value < 0 ? 0 : value > 255 ? 255 : Math.round(value));

function nearestChroma({ width, height }: FramePlanes, x: number, y: number): number {
  const column = Math.min(width / 2 - 1, Math.max(0, Math.round((x - 0.5) / 2)));
  const row = Math.min(height / 2 - 1, Math.max(0, Math.round((y - 0.5) / 2)));
  return row * (width / 2) + column;
}

/** The value between four samples; whole numbers are sample centres. */
export function bilinear(plane: Uint8Array, width: number, height: number, x: number, y: number): number {
  const cx = Math.min(width - 1, Math.max(0, x));
  const cy = Math.min(height - 1, Math.max(0, y));
  const left = Math.min(width - 2, Math.floor(cx));
  const top = Math.min(height - 2, Math.floor(cy));
  const fx = cx - left;
  const fy = cy - top;
  const at = top * width + left;
  const upper = (plane[at] ?? 0) * (1 - fx) + (plane[at + 1] ?? 0) * fx;
  const lower = (plane[at + width] ?? 0) * (1 - fx) + (plane[at + width + 1] ?? 0) * fx;
  return upper * (1 - fy) + lower * fy;
}

/** As {@link bilinear}, with a cubic through sixteen samples (Catmull–Rom), which keeps edges sharp. */
export function bicubic(plane: Uint8Array, width: number, height: number, x: number, y: number): number {
  const left = Math.floor(x);
  const top = Math.floor(y);
  if (left < 1 || top < 1 || left > width - 3 || top > height - 3)
    return bilinear(plane, width, height, x, y);
  const fx = x - left;
  const fy = y - top;
  const x0 = ((-0.5 * fx + 1) * fx - 0.5) * fx;
  const x1 = (1.5 * fx - 2.5) * fx * fx + 1;
  const x2 = ((-1.5 * fx + 2) * fx + 0.5) * fx;
  const x3 = (0.5 * fx - 0.5) * fx * fx;
  const at = (top - 1) * width + left - 1;
  const y0 = ((-0.5 * fy + 1) * fy - 0.5) * fy;
  const y1 = (1.5 * fy - 2.5) * fy * fy + 1;
  const y2 = ((-1.5 * fy + 2) * fy + 0.5) * fy;
  const y3 = (0.5 * fy - 0.5) * fy * fy;
  let sum = 0;
  for (let row = 0; row < 4; row++) {
    const from = at + row * width;
    const line =
      (plane[from] ?? 0) * x0 +
      (plane[from + 1] ?? 0) * x1 +
      (plane[from + 2] ?? 0) * x2 +
      (plane[from + 3] ?? 0) * x3;
    sum += line * (row === 0 ? y0 : row === 1 ? y1 : row === 2 ? y2 : y3);
  }
  return sum;
}

/** A coarse luma grid of the frame, and how much two of them differ on average, 0–255. */
export function lumaGrid({ luma, width, height }: FramePlanes): Uint8Array {
  const grid = new Uint8Array(32 * 18);
  for (let row = 0; row < 18; row++) {
    for (let column = 0; column < 32; column++) {
      const x = Math.floor(((column + 0.5) / 32) * width);
      const y = Math.floor(((row + 0.5) / 18) * height);
      grid[row * 32 + column] = luma[y * width + x] ?? 0;
    }
  }
  return grid;
}

export function gridDifference(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((sum, value, n) => sum + Math.abs(value - (b[n] ?? 0)), 0) / a.length;
}
