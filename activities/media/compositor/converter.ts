import { kernelMemory, loadKernel, type Kernel } from './kernel.js';
import {
  alignUp,
  coverPlanes,
  slack,
  type Cover,
  type Overlay,
  type OverlayPlane,
  type Plane,
} from './planes.js';

/** Rows converted at a time, so that the converter's memory does not grow with the picture. */
const bandRows = 64;
/** Empty stretches shorter than this are not worth two spans; also the kernel's step. */
const spanStep = 16;

let working: { kernel: Kernel; bytes: number } | undefined;

function workingKernel(bytes: number): { kernel: Kernel; view: Uint8Array } {
  if (!working || working.bytes < bytes) {
    working = { kernel: loadKernel(kernelMemory(bytes)), bytes };
  }
  return { kernel: working.kernel, view: new Uint8Array(working.kernel.memory.buffer) };
}

/** RGB, 3 bytes a pixel, both sides even → planes for the sampler, their edges repeated outwards. */
export function convertCover(rgb: Uint8Array, width: number, height: number): Cover {
  const { planes, bytes } = coverPlanes(width, height);
  const [luma, blue, red] = planes;
  const out = new Uint8Array(bytes);
  const bandChroma = (blue.stride * bandRows) / 2;
  const at = { rgb: 0, y: alignUp(width * 3 * bandRows, 16), u: 0, v: 0 };
  at.u = at.y + luma.stride * bandRows;
  at.v = at.u + bandChroma;
  const { kernel, view } = workingKernel(at.v + bandChroma);
  for (let top = 0; top < height; top += bandRows) {
    const rows = Math.min(bandRows, height - top);
    view.set(rgb.subarray(top * width * 3, (top + rows) * width * 3), at.rgb);
    kernel.convertOpaque(at.rgb, width, rows, at.y, at.u, at.v, luma.stride, blue.stride);
    out.set(view.subarray(at.y, at.y + luma.stride * rows), luma.offset + top * luma.stride);
    const half = rows / 2;
    out.set(view.subarray(at.u, at.u + blue.stride * half), blue.offset + (top / 2) * blue.stride);
    out.set(view.subarray(at.v, at.v + red.stride * half), red.offset + (top / 2) * red.stride);
  }
  for (const plane of planes) repeatEdges(out, plane);
  return { kind: 'cover', planes, bytes: out };
}

function repeatEdges(bytes: Uint8Array, { offset, width, height, stride }: Plane): void {
  for (let row = 0; row < height; row++) {
    const start = offset + row * stride;
    bytes.fill(bytes[start + width - 1] ?? 0, start + width, start + stride);
  }
  const last = offset + (height - 1) * stride;
  bytes.copyWithin(last + stride, last, last + stride);
}

/** A picture with straight alpha (RGBA, packed) at a place of a frame; what lies outside is cut off. */
export interface PlacedPicture {
  x: number;
  y: number;
  width: number;
  height: number;
  rgba: Uint8Array;
}

/** → premultiplied planes, without the empty margin; undefined when nothing of it shows. */
export function convertOverlay(
  picture: PlacedPicture,
  frame: { width: number; height: number },
): Overlay | undefined {
  const box = visibleBox(picture, frame);
  if (!box) return undefined;
  const { left, top, width, height } = box;
  const stride = alignUp(width + slack, 16);
  const chromaStride = alignUp(width / 2 + slack, 16);
  const lumaBytes = stride * height;
  const chromaBytes = chromaStride * (height / 2);
  const planes = {
    y: 0,
    alpha: lumaBytes,
    u: lumaBytes * 2,
    v: lumaBytes * 2 + chromaBytes,
    chromaAlpha: lumaBytes * 2 + chromaBytes * 2,
  };
  const pixelBytes = alignUp(lumaBytes * 2 + chromaBytes * 3, 16);
  const rgbaAt = pixelBytes;
  const { kernel, view } = workingKernel(pixelBytes + width * 4 * bandRows);
  view.fill(0, 0, pixelBytes);
  for (let band = 0; band < height; band += bandRows) {
    const rows = Math.min(bandRows, height - band);
    copyBand(picture, left, top + band, width, rows, view.subarray(rgbaAt, rgbaAt + width * 4 * rows));
    kernel.convertAlpha(
      ...[rgbaAt, width, rows],
      planes.y + band * stride,
      planes.u + (band / 2) * chromaStride,
      planes.v + (band / 2) * chromaStride,
      planes.alpha + band * stride,
      planes.chromaAlpha + (band / 2) * chromaStride,
      ...[stride, chromaStride],
    );
  }
  const lumaSpans = coveredSpans(view, planes.alpha, stride, width, height);
  const chromaSpans = coveredSpans(view, planes.chromaAlpha, chromaStride, width / 2, height / 2);
  const bytes = new Uint8Array(pixelBytes + lumaSpans.byteLength + chromaSpans.byteLength + slack);
  bytes.set(view.subarray(0, pixelBytes));
  bytes.set(new Uint8Array(lumaSpans.buffer), pixelBytes);
  bytes.set(new Uint8Array(chromaSpans.buffer), pixelBytes + lumaSpans.byteLength);
  const luma: OverlayPlane = {
    colour: planes.y,
    alpha: planes.alpha,
    stride,
    height,
    spans: pixelBytes,
    spanCount: lumaSpans.length / 3,
  };
  const chroma: OverlayPlane = {
    colour: planes.u,
    alpha: planes.chromaAlpha,
    stride: chromaStride,
    height: height / 2,
    spans: pixelBytes + lumaSpans.byteLength,
    spanCount: chromaSpans.length / 3,
  };
  return { kind: 'overlay', x: left, y: top, luma, chroma, bytes };
}

/** The smallest box of even place and size inside the frame that holds every pixel with alpha. */
function visibleBox(picture: PlacedPicture, frame: { width: number; height: number }) {
  const { rgba, width } = picture;
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  const firstColumn = Math.max(0, -picture.x);
  const endColumn = Math.min(width, frame.width - picture.x);
  const endRow = Math.min(picture.height, frame.height - picture.y);
  for (let row = Math.max(0, -picture.y); row < endRow; row++) {
    let from = firstColumn;
    while (from < endColumn && rgba[(row * width + from) * 4 + 3] === 0) from++;
    if (from === endColumn) continue;
    let to = endColumn;
    while (rgba[(row * width + to - 1) * 4 + 3] === 0) to--;
    left = Math.min(left, from);
    right = Math.max(right, to);
    top = Math.min(top, row);
    bottom = row + 1;
  }
  if (right < left) return undefined;
  const even = (value: number) => value - (value % 2);
  const box = { left: even(left + picture.x), top: even(top + picture.y) };
  return {
    ...box,
    width: Math.min(frame.width, even(right + picture.x + 1)) - box.left,
    height: Math.min(frame.height, even(bottom + picture.y + 1)) - box.top,
  };
}

/** Rows of a picture in frame coordinates; what it does not have is transparent. */
function copyBand(
  picture: PlacedPicture,
  left: number,
  top: number,
  width: number,
  rows: number,
  out: Uint8Array,
): void {
  out.fill(0);
  const from = Math.max(left, picture.x);
  const to = Math.min(left + width, picture.x + picture.width);
  for (let row = 0; row < rows; row++) {
    const line = top + row - picture.y;
    if (line < 0 || line >= picture.height) continue;
    const start = (line * picture.width + from - picture.x) * 4;
    out.set(picture.rgba.subarray(start, start + (to - from) * 4), (row * width + from - left) * 4);
  }
}

function coveredSpans(
  view: Uint8Array,
  alpha: number,
  stride: number,
  width: number,
  height: number,
): Int32Array<ArrayBuffer> {
  const spans: number[] = [];
  for (let row = 0; row < height; row++) {
    let start = -1;
    for (let column = 0; column < width; column += spanStep) {
      const end = Math.min(column + spanStep, width);
      const isEmpty = isZero(view, alpha + row * stride + column, end - column);
      if (!isEmpty && start < 0) start = column;
      if (start >= 0 && (isEmpty || end === width)) {
        spans.push(row, start, (isEmpty ? column : end) - start);
        start = -1;
      }
    }
  }
  return Int32Array.from(spans);
}

function isZero(view: Uint8Array, offset: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (view[offset + i] !== 0) return false;
  return true;
}
