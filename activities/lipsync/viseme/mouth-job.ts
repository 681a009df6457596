import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { clipFrameBytes, type RawClip } from '../lip-sync.js';
import { drawMouth } from './draw-mouth.js';
import type { FaceModels } from './face-models.js';
import { trackFace, type FaceTrack } from './face-track.js';
import { planesOf, type FramePlanes } from './frame-planes.js';
import { linesInPicture } from './lip-edges.js';
import { withCorners } from './mouth-corners.js';
import { mouthInside, showsInside, type SeenFrame } from './mouth-inside.js';
import { linesOfLandmarks, type MouthLines } from './mouth-lines.js';
import { gapOf, mouthPose, restingMouth } from './mouth-pose.js';
import type { MouthShape } from './mouth-shapes.js';
import { skullFrame, type SkullFrame } from './skull-frame.js';
import { smoothedVectors } from './smoothing.js';

/** Frames in which the mouth comes from the original and goes back to it. */
const easeFrames = 4;
const smoothingFrames = 2;

export interface MouthJob {
  clip: RawClip;
  outPath: string;
  /** The wanted mouth of each frame. */
  shapes: readonly MouthShape[];
}

interface Mouth {
  skull: SkullFrame;
  lines: MouthLines;
}

/**
 * Reads the clip, finds the speaker's mouth in every frame, and writes all frames with the mouth moved; frames of which
 * nothing changes are written as they came. One frame is in memory at a time.
 *
 * @param report 0–1; it may throw to stop the work.
 * @returns how many frames were changed.
 * @throws ApplicationFailure `lip_sync_no_face`.
 */
export async function moveMouths(
  { clip, outPath, shapes }: MouthJob,
  models: FaceModels,
  report: (fraction: number) => void,
): Promise<number> {
  const input = openSync(clip.path, 'r');
  const output = openSync(outPath, 'w');
  const bytes = new Uint8Array(clipFrameBytes(clip));
  const readFrame = (index: number): FramePlanes => {
    readWhole(input, bytes, index * bytes.length);
    return planesOf(bytes, clip.width, clip.height);
  };
  try {
    let followed = 0;
    const onFrame = () => report(Math.min(1, ++followed / clip.frames) * 0.5);
    const track = await trackFace({ frames: clip.frames, readFrame, models, onFrame });
    const mouths = findMouths(track, readFrame);
    const weights = easing(mouths.map((mouth) => mouth !== undefined));
    const seen = mouths.flatMap((mouth) => (mouth ? [mouth] : []));
    const rest = restingMouth(seen.map(({ lines }) => lines));
    const inside = mouthInside(bestView(mouths, readFrame), rest);

    const drawn = new Uint8Array(bytes.length);
    let changed = 0;
    for (let n = 0; n < clip.frames; n++) {
      const source = readFrame(n);
      drawn.set(bytes);
      const mouth = mouths[n];
      const shape = shapes[n];
      const weight = weights[n] ?? 0;
      if (mouth && shape && weight > 0) {
        const pose = mouthPose(mouth.lines, rest, shape, weight);
        drawMouth(source, planesOf(drawn, clip.width, clip.height), mouth.skull, pose, inside);
        changed += 1;
      }
      writeSync(output, drawn);
      report(0.5 + ((n + 1) / clip.frames) * 0.5);
    }
    return changed;
  } finally {
    closeSync(input);
    closeSync(output);
  }
}

function readWhole(file: number, into: Uint8Array, position: number): void {
  for (let done = 0; done < into.length;) {
    const read = readSync(file, into, done, into.length - done, position + done);
    if (read === 0) throw new Error('the clip is shorter than its number of frames');
    done += read;
  }
}

/** The mouth of each frame: landmarks, corrected by what the picture shows, without jitter. */
function findMouths(track: FaceTrack, readFrame: (n: number) => FramePlanes): (Mouth | undefined)[] {
  const raw = track.map((points, n): Mouth | undefined => {
    if (!points) return undefined;
    const skull = skullFrame(points);
    const frame = readFrame(n);
    const landmarks = withCorners(linesOfLandmarks(points, skull), skull, frame);
    return { skull, lines: linesInPicture(landmarks, skull, frame) };
  });
  const known = raw.flatMap((mouth, n) => (mouth ? [{ mouth, n }] : []));
  const vectors = smoothedVectors(
    known.map(({ mouth }) => vectorOf(mouth.lines)),
    smoothingFrames,
  );
  for (const [k, { mouth, n }] of known.entries()) {
    const vector = vectors[k];
    if (vector) raw[n] = { skull: mouth.skull, lines: linesOfVector(vector) };
  }
  return raw;
}

const lineNames = ['outerUpper', 'innerUpper', 'innerLower', 'outerLower'] as const;

function vectorOf(lines: MouthLines): number[] {
  const { middle, half, chin, jawHalf } = lines;
  return [middle, half, chin, jawHalf, ...lineNames.flatMap((name) => [...lines[name]])];
}

function linesOfVector(vector: Float64Array): MouthLines {
  const [middle = 0, half = 0, chin = 0, jawHalf = 0] = vector;
  const points = (vector.length - 4) / 4;
  const [outerUpper, innerUpper, innerLower, outerLower] = lineNames.map((_name, k) =>
    vector.slice(4 + k * points, 4 + (k + 1) * points),
  );
  if (!outerUpper || !innerUpper || !innerLower || !outerLower) throw new Error('four lines were expected');
  return {
    ...{ middle, half, chin, jawHalf, outerUpper, innerUpper, outerLower },
    innerLower: innerLower.map((v, n) => Math.max(v, innerUpper[n] ?? v)),
  };
}

/** 0 at both ends and beside every gap, 1 from {@link easeFrames} frames on. */
export function easing(seen: readonly boolean[]): number[] {
  const distance = seen.map((_value, n) => {
    let reach = 0;
    while (reach < easeFrames && seen[n - reach] === true && seen[n + reach] === true) reach += 1;
    return seen[n] === true ? reach - 1 : 0;
  });
  // reach − 1 is the number of seen frames on the nearer side: none at the ends themselves.
  return distance.map((frames) => {
    const x = Math.min(1, Math.max(0, frames) / (easeFrames - 1));
    return x * x * (3 - 2 * x);
  });
}

/** The frame with the most open mouth, copied. */
function bestView(mouths: readonly (Mouth | undefined)[], readFrame: (n: number) => FramePlanes): SeenFrame {
  const open = mouths
    .flatMap((mouth, n) => (mouth ? [{ mouth, n }] : []))
    .toSorted((a, b) => gapOf(b.mouth.lines) - gapOf(a.mouth.lines));
  // With lips closed all along, any frame tells the colours.
  const best = open.find(({ mouth }) => showsInside(mouth.lines)) ?? open[0];
  if (!best) throw new Error('a mouth was expected');
  const { luma, blue, red, width, height } = readFrame(best.n);
  return {
    ...best.mouth,
    frame: { width, height, luma: luma.slice(), blue: blue.slice(), red: red.slice() },
  };
}
