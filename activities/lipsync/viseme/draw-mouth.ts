import { bicubic, bilinear, type FramePlanes } from './frame-planes.js';
import { fieldExtent, originOf, type Origin } from './mouth-field.js';
import { insideColour, type MouthInside } from './mouth-inside.js';
import type { MouthPose } from './mouth-pose.js';
import { toPicture, toSkull, type SkullFrame } from './skull-frame.js';
import { smoothstep } from './smoothing.js';

/** A pixel that moves less than this keeps its value: it could only lose sharpness. */
const leastMovePixels = 0.02;

/** Rectangle of pixels, even borders; `right` and `bottom` are one past the last. */
interface Region {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/**
 * Draws one frame's mouth anew: from `source` into `target`, which holds the same frame. Only pixels that move are
 * written.
 */
export function drawMouth(
  source: FramePlanes,
  target: FramePlanes,
  skull: SkullFrame,
  pose: MouthPose,
  inside: MouthInside,
): void {
  if (pose.weight <= 0) return;
  const region = regionOf(pose, skull, source);
  drawLuma(source, target, skull, pose, inside, region);
  drawChroma(source, target, skull, pose, inside, region);
}

function regionOf(pose: MouthPose, skull: SkullFrame, { width, height }: FramePlanes): Region {
  const { left, right, top, bottom } = fieldExtent(pose);
  const corners = [left, right].flatMap((u) => [top, bottom].map((v) => toPicture(skull, u, v)));
  const xs = corners.map(({ x }) => x);
  const ys = corners.map(({ y }) => y);
  const even = (value: number, limit: number) => Math.max(0, Math.min(limit, Math.floor(value / 2) * 2));
  return {
    left: even(Math.min(...xs), width),
    top: even(Math.min(...ys), height),
    right: even(Math.max(...xs) + 2, width),
    bottom: even(Math.max(...ys) + 2, height),
  };
}

function drawLuma(
  source: FramePlanes,
  target: FramePlanes,
  skull: SkullFrame,
  pose: MouthPose,
  inside: MouthInside,
  { left, top, right, bottom }: Region,
): void {
  const { width, height, luma } = source;
  const origin: Origin = { u: 0, v: 0, inside: 0 };
  const shown = smoothstep(0, 0.8, pose.weight);
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const { u, v } = toSkull(skull, x, y);
      originOf(pose, u, v, origin);
      const cover = coverOf(origin, skull);
      const from = toPicture(skull, origin.u, origin.v);
      if (cover === 0 && Math.hypot(from.x - x, from.y - y) < leastMovePixels) continue;
      let value = cover < 1 ? bicubic(luma, width, height, from.x, from.y) : 0;
      if (cover > 0) {
        // While the mouth comes from the original or goes back to it, so does what it shows.
        const own = (1 - shown) * (luma[y * width + x] ?? 0);
        value += (insideColour(inside, pose, u, v).luma * shown + own - value) * cover;
      }
      target.luma[y * width + x] = Math.max(0, Math.min(255, Math.round(value)));
    }
  }
}

/** Chroma samples lie between four pixels, so their places are halves. */
function drawChroma(
  source: FramePlanes,
  target: FramePlanes,
  skull: SkullFrame,
  pose: MouthPose,
  inside: MouthInside,
  { left, top, right, bottom }: Region,
): void {
  const width = source.width / 2;
  const height = source.height / 2;
  const origin: Origin = { u: 0, v: 0, inside: 0 };
  const shown = smoothstep(0, 0.8, pose.weight);
  for (let row = top / 2; row < bottom / 2; row++) {
    for (let column = left / 2; column < right / 2; column++) {
      const x = column * 2 + 0.5;
      const y = row * 2 + 0.5;
      const { u, v } = toSkull(skull, x, y);
      originOf(pose, u, v, origin);
      const cover = coverOf(origin, skull);
      const from = toPicture(skull, origin.u, origin.v);
      if (cover === 0 && Math.hypot(from.x - x, from.y - y) < leastMovePixels) continue;
      const fromColumn = (from.x - 0.5) / 2;
      const fromRow = (from.y - 0.5) / 2;
      let blue = bilinear(source.blue, width, height, fromColumn, fromRow);
      let red = bilinear(source.red, width, height, fromColumn, fromRow);
      if (cover > 0) {
        const colour = insideColour(inside, pose, u, v);
        const at = row * width + column;
        blue += (colour.blue * shown + (source.blue[at] ?? 0) * (1 - shown) - blue) * cover;
        red += (colour.red * shown + (source.red[at] ?? 0) * (1 - shown) - red) * cover;
      }
      target.blue[row * width + column] = Math.round(blue);
      target.red[row * width + column] = Math.round(red);
    }
  }
}

/** 0 on the lips, 1 inside the mouth, and in between over the width of a pixel or two, as a lens would show it. */
function coverOf({ inside }: Origin, { down }: SkullFrame): number {
  const soft = Math.max(0.7, 1.2 / down);
  return smoothstep(-0.3 * soft, 0.7 * soft, inside);
}
