import type { FrameState, ShownLayer } from './frame-state.js';
import { groupBytes, packedPlanes, type ComposeJob, type PlacedLayer, type PlacedStrip } from './job.js';
import type { Kernel } from './kernel.js';
import type { View } from './motion.js';
import { frameBytes, type Plane } from './planes.js';

const one = 65_536;

/** Draws one frame of a job, packed planar 4:2:0, into `target`. */
export function drawFrame(kernel: Kernel, job: ComposeJob, state: FrameState, target: number): void {
  const { shots } = state;
  if (shots.length < 2) {
    drawShot(kernel, job, 0, shots[0] ?? [], target);
  } else {
    const [from = target, to = target] = job.shotFrames;
    drawShot(kernel, job, 0, shots[0] ?? [], from);
    drawShot(kernel, job, 1, shots[1] ?? [], to);
    join(kernel, job, from, to, state.mix, target);
  }
  const strip = job.strips[state.strip];
  if (strip) blend(kernel, job, withMarks(kernel, job, strip), 256, target);
}

function drawShot(kernel: Kernel, job: ComposeJob, shot: number, shown: ShownLayer[], target: number): void {
  for (const layer of shown) {
    const picture = job.layers[shot]?.[layer.layer];
    if (!picture) continue;
    if (layer.kind === 'cover') warp(kernel, job, picture, layer.view, target);
    else blend(kernel, job, picture, layer.fade, target);
  }
}

function warp(kernel: Kernel, job: ComposeJob, picture: PlacedLayer, view: View, target: number): void {
  if (picture.kind !== 'cover') return;
  const { width, height } = job.unit;
  const frame = packedPlanes(width, height);
  const [luma, blue] = picture.planes;
  const tables = [
    columnTable(kernel, job.lumaColumns, width, luma, view),
    columnTable(kernel, job.chromaColumns, width / 2, blue, view),
  ] as const;
  for (const [index, source] of picture.planes.entries()) {
    const plane = frame[index];
    if (!plane) continue;
    const table = index === 0 ? tables[0] : tables[1];
    const { first, step } = axis(plane.height, source.height, view.top, view.size);
    kernel.warpPlane(
      ...[target + plane.offset, plane.width, plane.height],
      ...[picture.base + source.offset, source.stride, first, step],
      ...[index === 0 ? job.lumaColumns : job.chromaColumns, job.scratchRow, table.firstByte, table.bytes],
    );
  }
}

/** First source position and step of an axis, 16.16, pixel centres on pixel centres, inside the source. */
function axis(length: number, source: number, start: number, size: number): { first: number; step: number } {
  const step = Math.min(Math.round(((source * size) / length) * one), Math.floor((source / length) * one));
  const wanted = Math.round((source * start + step / one / 2 - 0.5) * one);
  const last = (source - 1) * one - step * (length - 1);
  return { first: Math.max(0, Math.min(wanted, last)), step };
}

/** One group for every 8 columns: where its source bytes start, which of them it takes, and their weights. */
function columnTable(kernel: Kernel, table: number, width: number, source: Plane, view: View) {
  const { first, step } = axis(width, source.width, view.left, view.size);
  const memory = new DataView(kernel.memory.buffer);
  const firstByte = first >> 16;
  let group = table;
  for (let x = 0; x < width; x += 8) {
    const column = Math.min(x, width - 8);
    const base = (first + column * step) >> 16;
    memory.setUint32(group, base - firstByte, true);
    for (let i = 0; i < 8; i++) {
      const position = first + (column + i) * step;
      const index = (position >> 16) - base;
      memory.setUint8(group + 16 + i, index);
      memory.setUint8(group + 24 + i, index + 1);
      memory.setUint16(group + 32 + i * 2, (position & 0xffff) >> 1, true);
    }
    group += groupBytes;
  }
  const lastByte = ((first + (width - 1) * step) >> 16) + 1;
  return { firstByte, bytes: lastByte - firstByte + 1 };
}

function blend(kernel: Kernel, job: ComposeJob, picture: PlacedLayer, fade: number, target: number): void {
  if (picture.kind !== 'overlay' || fade <= 0) return;
  const [luma, ...chroma] = packedPlanes(job.unit.width, job.unit.height);
  const { base, x, y } = picture;
  const l = picture.luma;
  kernel.blendSpans(
    ...[target + luma.offset + y * luma.stride + x, luma.stride],
    ...[base + l.colour, base + l.alpha, l.stride, base + l.spans, l.spanCount, fade],
  );
  const c = picture.chroma;
  for (const [index, plane] of chroma.entries()) {
    kernel.blendSpans(
      ...[target + plane.offset + (y / 2) * plane.stride + x / 2, plane.stride],
      ...[base + c.colour + index * c.stride * c.height, base + c.alpha, c.stride],
      ...[base + c.spans, c.spanCount, fade],
    );
  }
}

/** A strip with its areas taken from the marked picture. Both have the same shape, so that colours are enough. */
function withMarks(
  kernel: Kernel,
  job: ComposeJob,
  { picture, marked, bytes, areas }: PlacedStrip,
): PlacedLayer {
  if (picture.kind !== 'overlay' || marked.kind !== 'overlay' || areas.length === 0) return picture;
  const memory = new Uint8Array(kernel.memory.buffer);
  const copy = job.stripCopy;
  memory.copyWithin(copy, picture.base, picture.base + bytes);
  const { luma, chroma } = picture;
  const blue = { ...chroma, scale: 2 };
  const red = { ...blue, colour: chroma.colour + chroma.stride * chroma.height };
  for (const { colour, stride, height, scale } of [{ ...luma, scale: 1 }, blue, red]) {
    for (const area of areas) {
      const left = Math.max(0, (area.left - picture.x) / scale);
      const right = Math.min(stride, (area.right - picture.x) / scale);
      const bottom = Math.min(height, (area.bottom - picture.y) / scale);
      for (let row = Math.max(0, (area.top - picture.y) / scale); row < bottom && left < right; row++) {
        const line = colour + row * stride;
        memory.copyWithin(copy + line + left, marked.base + line + left, marked.base + line + right);
      }
    }
  }
  return { ...picture, base: copy };
}

function join(kernel: Kernel, job: ComposeJob, from: number, to: number, mix: number, target: number): void {
  const { width, height, transition } = job.unit;
  if (transition !== 'slide') {
    kernel.mixBytes(target, from, to, frameBytes(width, height), Math.round(mix * 32_767));
    return;
  }
  // The new scene pushes the old one out to the left, in whole pairs of pixels so that chroma stays in place.
  const bytes = new Uint8Array(kernel.memory.buffer);
  const pushed = Math.round((mix * width) / 2) * 2;
  for (const plane of packedPlanes(width, height)) {
    const shift = (pushed * plane.width) / width;
    for (let row = 0; row < plane.height; row++) {
      const line = plane.offset + row * plane.stride;
      bytes.copyWithin(target + line, from + line + shift, from + line + plane.width);
      bytes.copyWithin(target + line + plane.width - shift, to + line, to + line + shift);
    }
  }
}
