import type { MouthShape } from './mouth-shapes.js';
import { lineAt, linePoints, positionOf, type MouthLines } from './mouth-lines.js';
import { quantile, smoothstep } from './smoothing.js';

/** What stays the same of a speaker's mouth over a clip: how it would be, closed and silent. */
export interface RestingMouth {
  half: number;
  /** v of the corners' middle, and of the closed lips' middle. */
  corners: number;
  closed: number;
  chin: number;
}

/**
 * The mouth at rest, from all frames in which it is seen. Lips meet nearer to the upper one, which moves less; a chin
 * is at rest where it is high.
 */
export function restingMouth(all: readonly MouthLines[]): RestingMouth {
  const middle = (linePoints - 1) / 2;
  const closed = all.map(({ innerUpper, innerLower }) => {
    const upper = innerUpper[middle] ?? 0;
    return upper + 0.42 * ((innerLower[middle] ?? 0) - upper);
  });
  return {
    half: quantile(
      all.map(({ half }) => half),
      0.5,
    ),
    corners: quantile(
      all.map(({ innerUpper }) => ((innerUpper[0] ?? 0) + (innerUpper[linePoints - 1] ?? 0)) / 2),
      0.5,
    ),
    closed: quantile(closed, 0.5),
    chin: quantile(
      all.map(({ chin }) => chin),
      0.25,
    ),
  };
}

const slitMm = 0.6;
/** Half the width of the lips of a rounded mouth. */
const roundHalfMm = 20.5;

/** From the mouth in the picture to the mouth that is wanted, in one frame. */
export interface MouthPose {
  source: MouthLines;
  target: MouthLines;
  /** How much thicker the lips get. */
  upperThickness: number;
  lowerThickness: number;
  /** 0–1: how much of the tongue shows. */
  tongue: number;
  /** 0 leaves the frame as it is. */
  weight: number;
}

/**
 * The mouth that a shape wants, on this speaker's face: the original's own movement is left out, its place on the head
 * and its expression at rest stay.
 * @param weight 0–1: from the original mouth to the wanted one.
 */
export function mouthPose(
  source: MouthLines,
  rest: RestingMouth,
  shape: MouthShape,
  weight: number,
): MouthPose {
  // Children's and turned heads have smaller mouths than the millimetres say.
  const size = Math.min(1.25, Math.max(0.6, rest.half / 25));
  const gap = shape.gap * size;
  // Rounding gathers the lips to about the same opening, however wide the mouth is at rest.
  const spread = rest.half + (shape.width * size) / 2;
  const half = spread + (Math.min(spread, roundHalfMm * size) - spread) * 0.7 * shape.round;
  const jawShare = Math.min(1, shape.jaw / Math.max(1, shape.gap));
  // The jaw carries the lower lip; what it does not carry the lips share.
  const up = gap * (0.16 + 0.22 * (1 - jawShare));
  const corners = rest.corners + 0.12 * shape.jaw * size;
  const tilt = ((source.innerUpper[linePoints - 1] ?? 0) - (source.innerUpper[0] ?? 0)) / 2;
  const tuck = shape.tuck * 1.2 * size;
  const wanted = (position: number) => {
    const p = Math.abs(position);
    const line = corners + tilt * position + (rest.closed - corners) * (1 - p * p);
    // Round lips leave an opening that is narrower than the mouth.
    const round = (1 - p ** (2.1 - 0.5 * shape.round)) ** (1.15 + 0.3 * shape.round);
    return { line, upper: line - up * round, lower: line + (gap - up - tuck) * round };
  };
  const mix = (from: number, to: number) => from + (to - from) * weight;
  const innerUpper = new Float64Array(linePoints);
  const innerLower = new Float64Array(linePoints);
  for (let n = 0; n < linePoints; n++) {
    const { upper, lower } = wanted(positionOf(n));
    // Between closed lips runs a dark line.
    const slit = slitMm * size * (1 - Math.abs(positionOf(n)) ** 4);
    innerUpper[n] = mix(source.innerUpper[n] ?? 0, upper);
    innerLower[n] = mix(source.innerLower[n] ?? 0, Math.max(lower, upper + slit));
  }
  const open = smoothstep(0, 12, shape.gap);
  const thickness = 1 + 0.1 * shape.round - 0.1 * open;
  const upperThickness = mix(1, thickness - 0.18 * shape.press);
  const lowerThickness = mix(1, thickness - 0.2 * shape.press - 0.25 * shape.tuck);
  return {
    source,
    target: {
      ...source,
      half: mix(source.half, half),
      innerUpper,
      innerLower,
      outerUpper: outer(source.outerUpper, source.innerUpper, innerUpper, upperThickness),
      outerLower: outer(source.outerLower, source.innerLower, innerLower, lowerThickness),
      chin: mix(source.chin, rest.chin + shape.jaw * size),
    },
    upperThickness,
    lowerThickness,
    tongue: shape.tongue * weight,
    weight,
  };
}

/** A lip keeps its thickness but for a factor, wherever its inner rim goes. */
function outer(
  sourceOuter: Float64Array,
  sourceInner: Float64Array,
  targetInner: Float64Array,
  factor: number,
): Float64Array {
  return targetInner.map((inner, n) => inner + ((sourceOuter[n] ?? 0) - (sourceInner[n] ?? 0)) * factor);
}

/** How wide the lips are open in the middle, mm. */
export const gapOf = ({ innerUpper, innerLower }: MouthLines): number =>
  lineAt(innerLower, 0) - lineAt(innerUpper, 0);
