import { bilinear, type FramePlanes } from './frame-planes.js';
import { lineAt, linePoints, positionOf, type MouthLines } from './mouth-lines.js';
import { smoothed } from './smoothing.js';
import { toPicture, type SkullFrame } from './skull-frame.js';

/** Landmarks are some percent of a face off; the picture itself is asked within this distance, mm. */
const searchMm = 4.5;
const stepMm = 0.4;

/**
 * Moves the inner lip lines to where the picture shows them: in each column between the outer lines, the run of
 * pixels that look least like lip (darker than it, or less red, as teeth are) is the mouth's inside, and where there
 * is none the lips are closed, at the darkest place. Returns lines that are smooth along the mouth.
 */
export function linesInPicture(lines: MouthLines, skull: SkullFrame, frame: FramePlanes): MouthLines {
  const lip = lipColour(lines, skull, frame);
  const upper: number[] = [];
  const lower: number[] = [];
  for (let n = 0; n < linePoints; n++) {
    const position = positionOf(n);
    const from = lineAt(lines.innerUpper, position);
    const to = lineAt(lines.innerLower, position);
    // Corners are where the lines meet; columns close to them show nothing.
    const found =
      Math.abs(position) > 0.86 ? undefined : insideOf(lines, skull, frame, lip, position, from, to);
    upper.push(found?.upper ?? from);
    lower.push(found?.lower ?? to);
  }
  return { ...lines, innerUpper: tidy(upper, lines.innerUpper), innerLower: tidy(lower, lines.innerLower) };
}

interface Colour {
  luma: number;
  blue: number;
  red: number;
}

function colourAt(skull: SkullFrame, frame: FramePlanes, u: number, v: number): Colour {
  const { x, y } = toPicture(skull, u, v);
  const { width, height } = frame;
  const cx = (x - 0.5) / 2;
  const cy = (y - 0.5) / 2;
  return {
    luma: bilinear(frame.luma, width, height, x, y),
    blue: bilinear(frame.blue, width / 2, height / 2, cx, cy),
    red: bilinear(frame.red, width / 2, height / 2, cx, cy),
  };
}

/** Median colour of the middle of the lower lip, which is the broader one and has no moustache. */
function lipColour(lines: MouthLines, skull: SkullFrame, frame: FramePlanes): Colour {
  const found: Colour[] = [];
  for (let position = -0.5; position <= 0.5; position += 0.1) {
    const inner = lineAt(lines.innerLower, position);
    const outer = lineAt(lines.outerLower, position);
    for (const share of [0.4, 0.55, 0.7]) {
      found.push(
        colourAt(skull, frame, lines.middle + position * lines.half, inner + (outer - inner) * share),
      );
    }
  }
  const median = (name: keyof Colour) => {
    const sorted = found.map((colour) => colour[name]).toSorted((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? 128;
  };
  return { luma: median('luma'), blue: median('blue'), red: median('red') };
}

function insideOf(
  lines: MouthLines,
  skull: SkullFrame,
  frame: FramePlanes,
  lip: Colour,
  position: number,
  from: number,
  to: number,
): { upper: number; lower: number } | undefined {
  const u = lines.middle + position * lines.half;
  const start = Math.max(lineAt(lines.outerUpper, position) + 1, from - searchMm);
  const end = Math.min(lineAt(lines.outerLower, position) - 1.5, to + searchMm);
  const count = Math.floor((end - start) / stepMm);
  if (count < 4) return undefined;
  // The run with the largest sum of "is inside" votes (Kadane's maximum subarray).
  let best = { sum: 0, first: 0, last: -1 };
  let run = { sum: 0, first: 0 };
  let darkest = { luma: Infinity, at: 0 };
  for (let n = 0; n <= count; n++) {
    const v = start + n * stepMm;
    const colour = colourAt(skull, frame, u, v);
    const expected = Math.exp(-(((v - (from + to) / 2) / (searchMm + (to - from) / 2)) ** 2));
    const vote = insideVote(colour, lip) * (0.6 + 0.4 * expected);
    if (run.sum <= 0) run = { sum: 0, first: n };
    run.sum += vote;
    if (run.sum > best.sum) best = { sum: run.sum, first: run.first, last: n };
    const darkness = colour.luma + (1 - expected) * 40;
    if (darkness < darkest.luma) darkest = { luma: darkness, at: v };
  }
  const length = (best.last - best.first) * stepMm;
  // A thin dark run is the line between closed lips, not an open mouth.
  if (length < 1.6) return { upper: darkest.at, lower: darkest.at };
  return { upper: start + best.first * stepMm, lower: start + best.last * stepMm };
}

/** −1…1: how much more a colour looks like teeth or a dark cavity than like lip. */
function insideVote(colour: Colour, lip: Colour): number {
  const lessRed = (lip.red - colour.red - (lip.blue - colour.blue) * 0.5) / 14;
  const darker = (lip.luma - colour.luma) / Math.max(25, lip.luma * 0.45);
  return Math.min(1, Math.max(lessRed, darker)) - 0.55;
}

/** Along the mouth: no outliers, no corners, and the ends where the landmarks have them. */
function tidy(values: readonly number[], landmarks: Float64Array): Float64Array {
  const offsets = values.map((value, n) => value - (landmarks[n] ?? 0));
  const calm = offsets.map((_value, n) => {
    const near = offsets.slice(Math.max(0, n - 2), n + 3).toSorted((a, b) => a - b);
    return near[near.length >> 1] ?? 0;
  });
  return Float64Array.from(smoothed(calm, 4), (offset, n) => {
    const ends = 1 - Math.abs(positionOf(n)) ** 6;
    return (landmarks[n] ?? 0) + Math.max(-searchMm, Math.min(searchMm, offset)) * ends;
  });
}
