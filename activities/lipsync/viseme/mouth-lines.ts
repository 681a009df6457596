import { pointAt, toSkull, type SkullFrame } from './skull-frame.js';

/** Points of a lip line, from the right corner (−1) to the left one (1). */
export const linePoints = 33;

/** A mouth as it is in one frame, millimetres of {@link SkullFrame}. Lines hold v at {@link linePoints} points. */
export interface MouthLines {
  /** u of the middle between the corners, and half the distance of the corners. */
  middle: number;
  half: number;
  outerUpper: Float64Array;
  innerUpper: Float64Array;
  innerLower: Float64Array;
  outerLower: Float64Array;
  chin: number;
  /** Half the width of the jaw at the height of the mouth. */
  jawHalf: number;
}

/** −1…1 for a point of a line. */
export const positionOf = (n: number): number => (n / (linePoints - 1)) * 2 - 1;

/** v of a line at a position from −1 to 1, linear between points. */
export function lineAt(line: Float64Array, position: number): number {
  const at = Math.min(linePoints - 1.001, Math.max(0, ((position + 1) / 2) * (linePoints - 1)));
  const n = Math.floor(at);
  const rest = at - n;
  return (line[n] ?? 0) * (1 - rest) + (line[n + 1] ?? 0) * rest;
}

/** The mouth that the landmarks say. */
export function linesOfLandmarks(points: Float64Array, frame: SkullFrame): MouthLines {
  const at = (n: number) => {
    const { x, y } = pointAt(points, n);
    return toSkull(frame, x, y);
  };
  const right = at(48);
  const left = at(54);
  const middle = (right.u + left.u) / 2;
  const half = Math.max(8, (left.u - right.u) / 2);
  const line = (indices: readonly number[]) => {
    const knots = [
      { s: -1, v: right.v },
      ...indices.map((n) => ({ s: (at(n).u - middle) / half, v: at(n).v })),
      { s: 1, v: left.v },
    ].toSorted((a, b) => a.s - b.s);
    return Float64Array.from({ length: linePoints }, (_value, n) => throughKnots(knots, positionOf(n)));
  };
  const innerUpper = line([61, 62, 63]);
  const innerLower = line([67, 66, 65]);
  for (let n = 0; n < linePoints; n++) {
    // Landmarks of closed lips may cross.
    const over = (innerUpper[n] ?? 0) - (innerLower[n] ?? 0);
    if (over <= 0) continue;
    innerUpper[n] = (innerUpper[n] ?? 0) - over / 2;
    innerLower[n] = (innerLower[n] ?? 0) + over / 2;
  }
  return {
    middle,
    half,
    outerUpper: line([49, 50, 51, 52, 53]),
    innerUpper,
    innerLower,
    outerLower: line([59, 58, 57, 56, 55]),
    chin: at(8).v,
    jawHalf: Math.max(30, (at(12).u - at(4).u) / 2),
  };
}

/** A cubic through knots with the slopes of Fritsch and Carlson's monotone kind, so that it never overshoots. */
function throughKnots(knots: readonly { s: number; v: number }[], s: number): number {
  const last = knots.length - 2;
  let k = 0;
  while (k < last && s > (knots[k + 1]?.s ?? 1)) k += 1;
  const secant = (n: number): number => {
    const a = knots[n];
    const b = knots[n + 1];
    return a && b ? (b.v - a.v) / Math.max(1e-3, b.s - a.s) : 0;
  };
  const slope = (n: number): number => {
    if (n <= 0) return secant(0);
    if (n > last) return secant(last);
    const before = secant(n - 1);
    const after = secant(n);
    return before * after <= 0 ? 0 : (2 * before * after) / (before + after);
  };
  const a = knots[k] ?? { s: -1, v: 0 };
  const b = knots[k + 1] ?? a;
  const length = Math.max(1e-3, b.s - a.s);
  const t = Math.min(1, Math.max(0, (s - a.s) / length));
  const t2 = t * t;
  const t3 = t2 * t;
  return (
    (2 * t3 - 3 * t2 + 1) * a.v +
    (t3 - 2 * t2 + t) * length * slope(k) +
    (3 * t2 - 2 * t3) * b.v +
    (t3 - t2) * length * slope(k + 1)
  );
}
