import { bilinear, type FramePlanes } from './frame-planes.js';
import { lineAt, linePoints, positionOf, type MouthLines } from './mouth-lines.js';
import { toPicture, type SkullFrame } from './skull-frame.js';

/** Landmarks put corners too far inwards, above all in a smile; this is how far out they are looked for, mm. */
const reachMm = 5;
const stepMm = 0.5;
/** A corner is a dark notch; where it is lighter than this share of its surroundings the mouth has ended. */
const notch = 0.8;

/** Moves the corners outwards to where the dark line between the lips ends in the picture. */
export function withCorners(lines: MouthLines, skull: SkullFrame, frame: FramePlanes): MouthLines {
  const right = cornerOf(lines, skull, frame, -1);
  const left = cornerOf(lines, skull, frame, 1);
  const middle = (right.u + left.u) / 2;
  const half = (left.u - right.u) / 2;
  const moved = (line: Float64Array) =>
    Float64Array.from({ length: linePoints }, (_value, n) => {
      const u = middle + positionOf(n) * half;
      const before = (u - lines.middle) / lines.half;
      if (Math.abs(before) <= 1) return lineAt(line, before);
      const corner = before < 0 ? right : left;
      const end = lines.middle + Math.sign(before) * lines.half;
      const share = Math.abs(corner.u - end) < 1e-6 ? 1 : (u - end) / (corner.u - end);
      return lineAt(line, Math.sign(before)) * (1 - share) + corner.v * share;
    });
  return {
    ...lines,
    middle,
    half,
    outerUpper: moved(lines.outerUpper),
    innerUpper: moved(lines.innerUpper),
    innerLower: moved(lines.innerLower),
    outerLower: moved(lines.outerLower),
  };
}

function cornerOf(lines: MouthLines, skull: SkullFrame, frame: FramePlanes, side: -1 | 1) {
  const lumaAt = (u: number, v: number) => {
    const { x, y } = toPicture(skull, u, v);
    return bilinear(frame.luma, frame.width, frame.height, x, y);
  };
  const start = lines.middle + side * lines.half;
  let corner = { u: start, v: lineAt(lines.innerUpper, side) };
  let v = corner.v;
  for (let out = -1; out <= reachMm; out += stepMm) {
    const u = start + side * out;
    let darkest = { luma: Infinity, v };
    for (let off = -1.2; off <= 1.2; off += 0.4) {
      const luma = lumaAt(u, v + off);
      if (luma < darkest.luma) darkest = { luma, v: v + off };
    }
    const around = (lumaAt(u, darkest.v - 4.5) + lumaAt(u, darkest.v + 4.5)) / 2;
    if (darkest.luma - 16 > (around - 16) * notch) break;
    v = darkest.v;
    if (out > 0) corner = { u, v };
  }
  return corner;
}
