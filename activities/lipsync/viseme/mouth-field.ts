import { lineAt, type MouthLines } from './mouth-lines.js';
import type { MouthPose } from './mouth-pose.js';
import { smoothstep } from './smoothing.js';

/** How far beyond the chin skin still gives, mm, and beyond the corners. */
const belowChinMm = 24;
const besideCornersMm = 19;
/** Lips are taken from a little beside their rim, which is blended with teeth in the picture, mm. */
const insetMm = 0.95;
/** Skin above the upper lip gives up to the nose. */
const noseMm = -2;
/** What is drawn sideways bends the folds beside the nose, and must do so over a longer way. */
const cheekMm = -9;

/** Where a pixel of the new picture comes from, in the old one; and how far it lies inside the opened mouth. */
export interface Origin {
  u: number;
  v: number;
  /** Millimetres inside the opening, negative outside of it. */
  inside: number;
}

/** Millimetres around the mouth in which anything may move. */
export function fieldExtent({ source, target }: MouthPose) {
  const chin = Math.max(source.chin, target.chin);
  const reach = Math.max(source.jawHalf, Math.max(source.half, target.half) + besideCornersMm * 2.2);
  return {
    left: target.middle - reach,
    right: target.middle + reach,
    top: cheekMm,
    bottom: chin + belowChinMm,
  };
}

/**
 * The inverse warp of one frame: for a place in the new picture, its place in the old one. The inner lip lines go
 * exactly where they are wanted, lips keep their thickness, skin around them follows less and less with the distance,
 * up to the nose, aside to the cheeks and down to the chin, which follows the jaw; at the border of
 * {@link fieldExtent} nothing moves. Inside the opening it tells how deep.
 * @param out is filled and returned, so that a frame makes no garbage.
 */
export function originOf(pose: MouthPose, u: number, v: number, out: Origin): Origin {
  const { source, target } = pose;
  const along = u - target.middle;
  const position = along / target.half;
  const beside = Math.max(0, Math.abs(along) - target.half);
  const s = Math.max(-1, Math.min(1, position));
  const upperTo = lineAt(target.innerUpper, s);
  const lowerTo = lineAt(target.innerLower, s);
  const upperFrom = lineAt(source.innerUpper, s);
  const lowerFrom = lineAt(source.innerLower, s);
  // Beyond the corners what a lip does dies away.
  const side = Math.exp(-((beside / (besideCornersMm * 0.6)) ** 2));
  const isUpper = v < (upperTo + lowerTo) / 2;
  const distance = isUpper ? upperTo - v : v - lowerTo;

  // Not at the corners, where both lips are one skin.
  const inset = insetMm * pose.weight * (1 - s ** 4);
  const vertical = isUpper
    ? upperShift(pose, s, distance, upperFrom - upperTo - inset, side)
    : lowerShift(pose, u, v, s, distance, lowerFrom - lowerTo + inset, side);
  const rim = smoothstep(noseMm, noseMm + 4, v);
  out.v = v + vertical * rim;

  // Corners pull their surroundings along, above and below the mouth less.
  const corner = (source.half - target.half) * Math.sign(along);
  const stretch = beside > 0 ? corner * Math.exp(-((beside / besideCornersMm) ** 2)) : corner * Math.abs(s);
  const away = Math.max(0, distance - 3) / 15;
  out.u =
    u +
    (stretch + (source.middle - target.middle) * side) *
      Math.exp(-away * away) *
      smoothstep(cheekMm, cheekMm + 18, v);
  out.inside = beside > 0 ? -Math.hypot(beside, Math.max(0, distance)) : -distance;
  return out;
}

function upperShift(pose: MouthPose, s: number, distance: number, shift: number, side: number): number {
  const thick = lipThickness(pose.target, 'Upper', s);
  // Within the lip its texture is stretched from the rim on.
  if (distance <= thick) return shift * side + lipStretch(distance, pose.upperThickness) * side;
  const atEdge = shift + lipStretch(thick, pose.upperThickness);
  const edge = lineAt(pose.target.outerUpper, s);
  return atEdge * side * (1 - smoothstep(0, Math.max(4, edge - noseMm), distance - thick));
}

function lowerShift(
  pose: MouthPose,
  u: number,
  v: number,
  s: number,
  distance: number,
  shift: number,
  side: number,
): number {
  const { source, target } = pose;
  const thick = lipThickness(target, 'Lower', s);
  const jaw =
    (source.chin - target.chin) *
    jawProfile(pose, u) *
    (1 - smoothstep(target.chin, target.chin + belowChinMm, v));
  if (distance <= thick) return (shift - lipStretch(distance, pose.lowerThickness)) * side;
  const atEdge = (shift - lipStretch(thick, pose.lowerThickness)) * side;
  const edge = lineAt(target.outerLower, s);
  const towardsChin = smoothstep(0, Math.max(6, target.chin - edge), distance - thick);
  return atEdge * (1 - towardsChin) + jaw * towardsChin;
}

const lipThickness = (lines: MouthLines, lip: 'Upper' | 'Lower', s: number): number =>
  Math.max(0.5, Math.abs(lineAt(lines[`outer${lip}`], s) - lineAt(lines[`inner${lip}`], s)));

/** Further into the upper lip means further up, where a thicker lip shows what is less far up. */
const lipStretch = (distance: number, factor: number): number => distance - distance / factor;

/** The chin moves as a whole, the jaw's ends by the ears hardly. */
function jawProfile({ target }: MouthPose, u: number): number {
  const share = Math.min(1, Math.abs(u - target.middle) / target.jawHalf);
  return Math.cos((share * Math.PI) / 2) ** 2;
}
