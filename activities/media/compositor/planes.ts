/** Room that the kernel may read or write past a row's end. */
export const slack = 32;

/** Plane of a picture in memory: `offset` from the picture's first byte. */
export interface Plane {
  offset: number;
  width: number;
  height: number;
  stride: number;
}

/** An opaque picture that fills the frame: luma and two half-size chroma planes, padded for resampling. */
export interface Cover {
  kind: 'cover';
  planes: readonly [Plane, Plane, Plane];
  bytes: Uint8Array;
}

/**
 * A picture with alpha at a fixed place of the frame: premultiplied planes, alpha at both sizes, and for each
 * size the stretches that are not empty. All of it lies inside the frame.
 */
export interface Overlay {
  kind: 'overlay';
  x: number;
  y: number;
  luma: OverlayPlane;
  /** Its two colour planes are `stride · height` apart. */
  chroma: OverlayPlane;
  bytes: Uint8Array;
}

/** Offsets from the picture's first byte. `spans`: `spanCount` triples of 32-bit row, column and length. */
export interface OverlayPlane {
  colour: number;
  alpha: number;
  stride: number;
  height: number;
  spans: number;
  spanCount: number;
}

export const alignUp = (value: number, to: number): number => Math.ceil(value / to) * to;

/** Planes of an opaque picture of even size, with one more row and some bytes for the sampler to run into. */
export function coverPlanes(
  width: number,
  height: number,
): { planes: readonly [Plane, Plane, Plane]; bytes: number } {
  const plane = (w: number, h: number, offset: number): Plane => ({
    offset,
    width: w,
    height: h,
    stride: alignUp(w + slack, 16),
  });
  const size = ({ stride, height: rows }: Plane) => stride * (rows + 1) + slack;
  const luma = plane(width, height, 0);
  const blue = plane(width / 2, height / 2, alignUp(size(luma), 16));
  const red = plane(width / 2, height / 2, alignUp(blue.offset + size(blue), 16));
  return { planes: [luma, blue, red], bytes: red.offset + size(red) };
}

/** Bytes of one frame as the encoder wants it: packed planar 4:2:0 of an even size. */
export const frameBytes = (width: number, height: number): number => (width * height * 3) / 2;
