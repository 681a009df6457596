import { bilinear, type FramePlanes } from './frame-planes.js';
import { lineAt, type MouthLines } from './mouth-lines.js';
import { gapOf, type MouthPose, type RestingMouth } from './mouth-pose.js';
import { toPicture, type SkullFrame } from './skull-frame.js';
import { smoothstep } from './smoothing.js';

/** One colour of the frame: 8-bit Y, Cb, Cr. */
export interface Colour {
  luma: number;
  blue: number;
  red: number;
}

/** What can be seen behind this speaker's lips. */
export interface MouthInside {
  skin: Colour;
  teeth: Colour;
  tongue: Colour;
  dark: Colour;
  /** Between lips that nearly touch. */
  slit: Colour;
  /** Where the lower rim of the upper teeth is, v of the head. */
  teethEdge: number;
  /** The speaker's own teeth, from the frame that shows them best. */
  seen: SeenInside | undefined;
}

interface SeenInside {
  lines: MouthLines;
  skull: SkullFrame;
  frame: FramePlanes;
}

export interface SeenFrame {
  lines: MouthLines;
  skull: SkullFrame;
  frame: FramePlanes;
}

/** Teeth are worth copying from a frame that shows this much of them, mm. */
const seenGapMm = 2.4;

export const showsInside = (lines: MouthLines): boolean => gapOf(lines) >= seenGapMm;

/**
 * Takes the colours from the speaker's skin and lips. Where the frame with the widest smile shows teeth, they are kept:
 * teeth sit on the skull, so that lips open and close in front of them like a curtain.
 */
export function mouthInside({ lines, skull, frame }: SeenFrame, rest: RestingMouth): MouthInside {
  const at = (u: number, v: number) => colourAt(frame, skull, u, v);
  const skin = at(lines.middle + lines.half * 1.1, lineAt(lines.outerUpper, 0) + 1);
  const lip = at(lines.middle, (lineAt(lines.innerLower, 0) + lineAt(lines.outerLower, 0)) / 2);
  const level = Math.max(30, skin.luma - 16);
  const teethColour = at(lines.middle, lineAt(lines.innerUpper, 0) + Math.min(4, gapOf(lines) / 2));
  const hasTeeth = showsInside(lines) && teethColour.luma - 16 > 0.75 * level;
  return {
    skin,
    teeth: hasTeeth ? teethColour : { luma: 16 + level * 0.98, blue: 126, red: 131 },
    tongue: { luma: 16 + level * 0.46, blue: mix(128, lip.blue, 0.8), red: mix(128, lip.red, 1) },
    dark: { luma: 16 + level * 0.16, blue: mix(128, lip.blue, 0.5), red: mix(128, lip.red, 0.75) },
    slit: { luma: 16 + (lip.luma - 16) * 0.4, blue: mix(128, lip.blue, 0.8), red: mix(128, lip.red, 1) },
    teethEdge: rest.closed + (hasTeeth ? 2.6 : 2),
    seen: hasTeeth ? { lines, skull, frame } : undefined,
  };
}

const mix = (a: number, b: number, share: number): number => a + (b - a) * share;

function colourAt(frame: FramePlanes, skull: SkullFrame, u: number, v: number): Colour {
  const { x, y } = toPicture(skull, u, v);
  const { width, height } = frame;
  return {
    luma: bilinear(frame.luma, width, height, x, y),
    blue: bilinear(frame.blue, width / 2, height / 2, (x - 0.5) / 2, (y - 0.5) / 2),
    red: bilinear(frame.red, width / 2, height / 2, (x - 0.5) / 2, (y - 0.5) / 2),
  };
}

/**
 * The colour behind the lips at a place of the head (mm): upper teeth, which stay with the skull, lower teeth and
 * tongue, which go with the jaw, and the dark between them, all darker towards the corners and under the upper lip.
 */
export function insideColour(inside: MouthInside, pose: MouthPose, u: number, v: number): Colour {
  const { target } = pose;
  const across = (u - target.middle) / target.half;
  const s = Math.max(-1, Math.min(1, across));
  const upper = lineAt(target.innerUpper, s);
  const lower = lineAt(target.innerLower, s);
  const gap = lower - upper;
  const middleGap = gapOf(target);
  let { luma, blue, red } = inside.dark;
  const cover = (colour: Colour, amount: number, light = 1) => {
    luma = mix(luma, 16 + (colour.luma - 16) * light, amount);
    blue = mix(blue, mix(128, colour.blue, light), amount);
    red = mix(red, mix(128, colour.red, light), amount);
  };

  // The tongue lies behind the lower lip, and rises to the teeth for sounds that need it there.
  const tongueTop = lower - middleGap * (0.3 + 0.42 * pose.tongue) * (1 - (across / 0.8) ** 2);
  const tongue =
    smoothstep(tongueTop - 1, tongueTop + 2.4, v) * (1 - smoothstep(0.45, 0.85, Math.abs(across)));
  cover(
    inside.tongue,
    tongue * smoothstep(2, 6, middleGap) * (0.7 + 0.25 * pose.tongue),
    0.8 + 0.2 * pose.tongue,
  );

  // Lower teeth show a little above the lip when the mouth is wide open.
  const lowerTeeth = smoothstep(lower - 2, lower - 1.1, v) * (1 - smoothstep(0.4, 0.75, Math.abs(across)));
  cover(inside.teeth, lowerTeeth * 0.5 * smoothstep(7, 12, middleGap), 0.7);

  const own = inside.seen && seenColour(inside.seen, u, v);
  if (own && own.cover > 0) cover(own.colour, own.cover);
  else drawTeeth(inside, pose, u, v, cover);

  // Light falls in from the front: the lip's shadow above, darkness in the corners.
  const shade =
    mix(0.62, 1, smoothstep(0, 2.2, v - upper)) * mix(1, 0.5, smoothstep(0.45, 0.95, Math.abs(across)));
  const light = inside.seen ? mix(shade, 1, 0.35) : shade;
  luma = 16 + (luma - 16) * light;
  blue = mix(128, blue, light);
  red = mix(128, red, light);
  // The lower lip curls inwards, and the lips' own shadow is all that shows between lips that nearly touch.
  cover(inside.slit, 0.75 * smoothstep(lower - 1.8, lower - 0.2, v));
  cover(inside.slit, 1 - smoothstep(0.5, 2.6, gap));
  return { luma, blue, red };
}

function drawTeeth(
  inside: MouthInside,
  { target }: MouthPose,
  u: number,
  v: number,
  cover: (colour: Colour, amount: number, light?: number) => void,
): void {
  const off = Math.abs(u - target.middle);
  const edge = inside.teethEdge - 2.4 * (off / 20) ** 2;
  const row = (1 - smoothstep(edge - 0.5, edge + 0.7, v)) * (1 - smoothstep(13, 21, off));
  // Shadows between the teeth: incisors are some 8.5 and 6.5 mm wide.
  const between = Math.min(Math.abs(off), Math.abs(off - 8.3), Math.abs(off - 14.6));
  const light = mix(0.9, 1, smoothstep(0, 0.5, between)) * mix(1, 0.72, smoothstep(4, 20, off));
  cover(inside.teeth, row * 0.92, light * 0.92);
}

/** The speaker's own teeth at a place of the head, and how surely there are any. */
function seenColour({ lines, skull, frame }: SeenInside, u: number, v: number) {
  const s = (u - lines.middle) / lines.half;
  if (Math.abs(s) >= 1) return { colour: { luma: 16, blue: 128, red: 128 }, cover: 0 };
  const upper = lineAt(lines.innerUpper, s) + 0.5;
  const lower = lineAt(lines.innerLower, s) - 1.1;
  // Above what was seen the teeth go on; below them is the dark.
  const colour = colourAt(frame, skull, u, Math.max(upper, Math.min(lower, v)));
  const cover = (1 - smoothstep(lower - 0.4, lower + 0.9, v)) * (1 - smoothstep(0.88, 1, Math.abs(s)));
  return { colour, cover };
}
