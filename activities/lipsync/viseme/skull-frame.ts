/** Typical sizes of an adult's face, mm (Farkas 1994): between the pupils, and from their line down to the nose's base. */
const pupilsMm = 63;
const eyesToNoseMm = 47;

/**
 * Coordinates fixed to the head: the origin is below the nose, u goes along the eyes to the right in the picture, v
 * goes down, both in millimetres of an adult's face.
 */
export interface SkullFrame {
  x: number;
  y: number;
  /** Unit vector of u in the picture; v's is this one turned by 90°. */
  cos: number;
  sin: number;
  /** Pixels a millimetre. They differ where the head is turned or bent. */
  across: number;
  down: number;
}

const rightEye = [36, 37, 38, 39, 40, 41];
const leftEye = [42, 43, 44, 45, 46, 47];

/** @param points 68 landmarks, x and y in turn, pixels. */
export function skullFrame(points: Float64Array): SkullFrame {
  const right = middleOf(points, rightEye);
  const left = middleOf(points, leftEye);
  const eyeAngle = Math.atan2(left.y - right.y, left.x - right.x);
  const mouth = { right: pointAt(points, 48), left: pointAt(points, 54) };
  const mouthAngle = Math.atan2(mouth.left.y - mouth.right.y, mouth.left.x - mouth.right.x);
  // Seen from the side the mouth's line and the eyes' differ; what moves is the mouth.
  const angle = (eyeAngle + mouthAngle) / 2;
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const nose = pointAt(points, 33);
  const eyes = { x: (right.x + left.x) / 2, y: (right.y + left.y) / 2 };
  const across = Math.hypot(left.x - right.x, left.y - right.y) / pupilsMm;
  const down = ((nose.y - eyes.y) * cos - (nose.x - eyes.x) * sin) / eyesToNoseMm;
  // A head bent far down or turned far aside would make the other measure useless.
  const larger = Math.max(across, down);
  return {
    x: nose.x,
    y: nose.y,
    cos,
    sin,
    across: Math.max(across, larger * 0.6),
    down: Math.max(down, larger * 0.6),
  };
}

export function pointAt(points: Float64Array, n: number): { x: number; y: number } {
  return { x: points[n * 2] ?? 0, y: points[n * 2 + 1] ?? 0 };
}

function middleOf(points: Float64Array, indices: readonly number[]) {
  const all = indices.map((n) => pointAt(points, n));
  return {
    x: all.reduce((sum, { x }) => sum + x, 0) / all.length,
    y: all.reduce((sum, { y }) => sum + y, 0) / all.length,
  };
}

/** Pixels → millimetres of the head. */
export function toSkull(frame: SkullFrame, x: number, y: number): { u: number; v: number } {
  const dx = x - frame.x;
  const dy = y - frame.y;
  return {
    u: (dx * frame.cos + dy * frame.sin) / frame.across,
    v: (dy * frame.cos - dx * frame.sin) / frame.down,
  };
}

/** Millimetres of the head → pixels. */
export function toPicture(frame: SkullFrame, u: number, v: number): { x: number; y: number } {
  const right = u * frame.across;
  const down = v * frame.down;
  return {
    x: frame.x + right * frame.cos - down * frame.sin,
    y: frame.y + right * frame.sin + down * frame.cos,
  };
}
