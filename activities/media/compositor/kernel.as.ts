/**
 * Pixel loops of the compositor, AssemblyScript with 128-bit SIMD. Built by cli/build-kernel.mjs into
 * kernel-bytes.ts. All memory is laid out by the caller; nothing here allocates. Colours are BT.709, limited
 * range, 8 bits; planes are 4:2:0 with chroma sited between its four pixels.
 */

/** Bytes of one group in a column table: source offset, then 16 shuffle indices, then 8 weights of 15 bits. */
const groupBytes: usize = 48;

// @ts-ignore: decorator
@inline
function lerp(a: v128, b: v128, weight: v128): v128 {
  return i16x8.add(a, i16x8.q15mulr_sat_s(i16x8.sub(b, a), weight));
}

/** `bytes` of `dst` = a + (b − a) · weight / 32768; reads and writes up to 15 bytes more. */
export function mixBytes(dst: usize, a: usize, b: usize, bytes: usize, weight: i32): void {
  const w = i16x8.splat(<i16>weight);
  for (let i: usize = 0; i < bytes; i += 16) {
    const pa = v128.load(a + i);
    const pb = v128.load(b + i);
    const low = lerp(i16x8.extend_low_i8x16_u(pa), i16x8.extend_low_i8x16_u(pb), w);
    const high = lerp(i16x8.extend_high_i8x16_u(pa), i16x8.extend_high_i8x16_u(pb), w);
    v128.store(dst + i, i8x16.narrow_i16x8_u(low, high));
  }
}

// @ts-ignore: decorator
@inline
function sampleGroup(row: usize, group: usize): v128 {
  const pixels = i8x16.swizzle(v128.load(row + load<u32>(group)), v128.load(group, 16));
  return lerp(
    i16x8.extend_low_i8x16_u(pixels),
    i16x8.extend_high_i8x16_u(pixels),
    v128.load(group, 32),
  );
}

/**
 * Bilinear resampling of one plane. Row y of the result samples source row `firstRow + y · rowStep` (16.16);
 * `columns` has one group for every 8 pixels of a row, the last one aligned to the row's end. `scratch` holds
 * one blended source row; its first byte is the source's byte `firstByte`.
 */
export function warpPlane(
  dst: usize,
  width: i32,
  height: i32,
  src: usize,
  srcStride: i32,
  firstRow: i32,
  rowStep: i32,
  columns: usize,
  scratch: usize,
  firstByte: i32,
  bytes: i32,
): void {
  const whole = width & ~15;
  const rest = width - whole;
  let position = firstRow;
  for (let y = 0; y < height; y++) {
    const upper = src + <usize>((position >> 16) * srcStride + firstByte);
    mixBytes(scratch, upper, upper + <usize>srcStride, <usize>bytes, (position & 0xffff) >> 1);
    let group = columns;
    let out = dst;
    for (let x = 0; x < whole; x += 16) {
      const low = sampleGroup(scratch, group);
      const high = sampleGroup(scratch, group + groupBytes);
      v128.store(out, i8x16.narrow_i16x8_u(low, high));
      group += groupBytes * 2;
      out += 16;
    }
    for (let x = 0; x < rest; x += 8) {
      const sampled = sampleGroup(scratch, group);
      const at = x + 8 <= rest ? out + <usize>x : dst + <usize>(width - 8);
      v128.store64_lane(at, i8x16.narrow_i16x8_u(sampled, sampled), 0);
      group += groupBytes;
    }
    dst += <usize>width;
    position += rowStep;
  }
}

// @ts-ignore: decorator
@inline
function divideBy255(value: v128): v128 {
  const rounded = i16x8.add(value, i16x8.splat(128));
  return i16x8.shr_u(i16x8.add(rounded, i16x8.shr_u(rounded, 8)), 8);
}

/**
 * Lays a premultiplied plane over another: dst = colour · fade + dst · (1 − alpha · fade). `spans` has
 * `count` triples of 32-bit row, column and length; `fade` is 0–256.
 */
export function blendSpans(
  dst: usize,
  dstStride: i32,
  colour: usize,
  alpha: usize,
  stride: i32,
  spans: usize,
  count: i32,
  fade: i32,
): void {
  const f = i16x8.splat(<i16>fade);
  const half = i16x8.splat(128);
  const full = i16x8.splat(255);
  for (let i = 0; i < count; i++) {
    const row = load<i32>(spans);
    const column = load<i32>(spans, 4);
    const length = load<i32>(spans, 8);
    spans += 12;
    let out = dst + <usize>(row * dstStride + column);
    let c = colour + <usize>(row * stride + column);
    let a = alpha + <usize>(row * stride + column);
    const end = out + <usize>length;
    while (out + 16 <= end) {
      const under = v128.load(out);
      const over = v128.load(c);
      const cover = v128.load(a);
      let overLow = i16x8.extend_low_i8x16_u(over);
      let overHigh = i16x8.extend_high_i8x16_u(over);
      let coverLow = i16x8.extend_low_i8x16_u(cover);
      let coverHigh = i16x8.extend_high_i8x16_u(cover);
      if (fade < 256) {
        overLow = i16x8.shr_u(i16x8.add(i16x8.mul(overLow, f), half), 8);
        overHigh = i16x8.shr_u(i16x8.add(i16x8.mul(overHigh, f), half), 8);
        coverLow = i16x8.shr_u(i16x8.add(i16x8.mul(coverLow, f), half), 8);
        coverHigh = i16x8.shr_u(i16x8.add(i16x8.mul(coverHigh, f), half), 8);
      }
      const low = divideBy255(i16x8.mul(i16x8.extend_low_i8x16_u(under), i16x8.sub(full, coverLow)));
      const high = divideBy255(i16x8.mul(i16x8.extend_high_i8x16_u(under), i16x8.sub(full, coverHigh)));
      v128.store(out, i8x16.narrow_i16x8_u(i16x8.add(low, overLow), i16x8.add(high, overHigh)));
      out += 16;
      c += 16;
      a += 16;
    }
    while (out < end) {
      const cover = (<u32>load<u8>(a) * fade + 128) >> 8;
      const over = (<u32>load<u8>(c) * fade + 128) >> 8;
      const under = <u32>load<u8>(out) * (255 - cover) + 128;
      store<u8>(out, <u8>min<u32>(255, over + ((under + (under >> 8)) >> 8)));
      out++;
      c++;
      a++;
    }
  }
}

// 16.16 factors of ITU-R BT.709 scaled to limited range (219 steps of luma, 224 of chroma). The constants added
// are the zero level and a half for rounding.
// @ts-ignore: decorator
@inline
function luma(r: i32, g: i32, b: i32): i32 {
  return (11966 * r + 40254 * g + 4064 * b + 1081344) >> 16;
}
// @ts-ignore: decorator
@inline
function chromaBlue(r: i32, g: i32, b: i32): i32 {
  return -6596 * r - 22189 * g + 28784 * b;
}
// @ts-ignore: decorator
@inline
function chromaRed(r: i32, g: i32, b: i32): i32 {
  return 28784 * r - 26145 * g - 2639 * b;
}

/** Opaque RGB rows (3 bytes a pixel), an even number of both, into planes with strides of their own. */
export function convertOpaque(
  rgb: usize,
  width: i32,
  rows: i32,
  y: usize,
  u: usize,
  v: usize,
  lumaStride: i32,
  chromaStride: i32,
): void {
  const line = <usize>(width * 3);
  for (let row = 0; row < rows; row += 2) {
    for (let x = 0; x < width; x += 2) {
      const p = rgb + <usize>(x * 3);
      const q = p + line;
      const out = y + <usize>x;
      const r0 = <i32>load<u8>(p), g0 = <i32>load<u8>(p, 1), b0 = <i32>load<u8>(p, 2);
      const r1 = <i32>load<u8>(p, 3), g1 = <i32>load<u8>(p, 4), b1 = <i32>load<u8>(p, 5);
      const r2 = <i32>load<u8>(q), g2 = <i32>load<u8>(q, 1), b2 = <i32>load<u8>(q, 2);
      const r3 = <i32>load<u8>(q, 3), g3 = <i32>load<u8>(q, 4), b3 = <i32>load<u8>(q, 5);
      store<u8>(out, <u8>luma(r0, g0, b0));
      store<u8>(out, <u8>luma(r1, g1, b1), 1);
      store<u8>(out + <usize>lumaStride, <u8>luma(r2, g2, b2));
      store<u8>(out + <usize>lumaStride, <u8>luma(r3, g3, b3), 1);
      const r = r0 + r1 + r2 + r3, g = g0 + g1 + g2 + g3, b = b0 + b1 + b2 + b3;
      store<u8>(u + <usize>(x >> 1), <u8>((chromaBlue(r, g, b) + 33685504) >> 18));
      store<u8>(v + <usize>(x >> 1), <u8>((chromaRed(r, g, b) + 33685504) >> 18));
    }
    rgb += line * 2;
    y += <usize>(lumaStride * 2);
    u += <usize>chromaStride;
    v += <usize>chromaStride;
  }
}

// @ts-ignore: decorator
@inline
function premultiplied(value: i32, alpha: i32): u8 {
  return <u8>((value * alpha + 127) / 255);
}

/**
 * Straight-alpha RGBA rows, an even number of both, into premultiplied planes with alpha at both sizes. A
 * chroma sample takes its colour from its four pixels by their cover.
 */
export function convertAlpha(
  rgba: usize,
  width: i32,
  rows: i32,
  y: usize,
  u: usize,
  v: usize,
  alpha: usize,
  chromaAlpha: usize,
  lumaStride: i32,
  chromaStride: i32,
): void {
  const line = <usize>(width * 4);
  for (let row = 0; row < rows; row += 2) {
    for (let x = 0; x < width; x += 2) {
      let r = 0, g = 0, b = 0, cover = 0;
      for (let i = 0; i < 4; i++) {
        const p = rgba + <usize>((x + (i & 1)) * 4) + (i < 2 ? 0 : line);
        const a = <i32>load<u8>(p, 3);
        if (a == 0) continue;
        const pr = <i32>load<u8>(p), pg = <i32>load<u8>(p, 1), pb = <i32>load<u8>(p, 2);
        const at = <usize>((i >> 1) * lumaStride + x + (i & 1));
        store<u8>(y + at, premultiplied(luma(pr, pg, pb), a));
        store<u8>(alpha + at, <u8>a);
        r += pr * a;
        g += pg * a;
        b += pb * a;
        cover += a;
      }
      if (cover == 0) continue;
      const a = (cover + 2) >> 2;
      r /= cover;
      g /= cover;
      b /= cover;
      const at = <usize>(x >> 1);
      store<u8>(u + at, premultiplied((chromaBlue(r, g, b) + 8421376) >> 16, a));
      store<u8>(v + at, premultiplied((chromaRed(r, g, b) + 8421376) >> 16, a));
      store<u8>(chromaAlpha + at, <u8>a);
    }
    rgba += line * 2;
    y += <usize>(lumaStride * 2);
    alpha += <usize>(lumaStride * 2);
    u += <usize>chromaStride;
    v += <usize>chromaStride;
    chromaAlpha += <usize>chromaStride;
  }
}
