import { noFace } from '../lip-sync-failures.js';
import { landmarkSide, type FaceBox, type FaceModels } from './face-models.js';
import {
  gridDifference,
  lumaGrid,
  sampleRgb,
  shrunk,
  type FramePlanes,
  type Placement,
} from './frame-planes.js';
import { smoothedVectors } from './smoothing.js';

/** Frames between two looks for faces; in between the face is followed by its own landmarks. */
const detectEvery = 24;
/** Mean difference of luma from one frame to the next, 0–255, that only a cut to another shot makes. */
const cutDifference = 28;
const detectionSide = 640;
/** The same face is found in slightly moved crops, and the mean taken: single answers tremble by a percent. */
const jitters: readonly (readonly [x: number, y: number, size: number])[] = [
  [0, 0, 1],
  [0.025, 0.02, 1.04],
  [-0.025, -0.02, 0.97],
];
const smoothingFrames = 3;

/** x and y of each of the 68 landmarks in pixels of the frame, or undefined where the face is not seen. */
export type FaceTrack = (Float64Array | undefined)[];

export interface TrackOptions {
  frames: number;
  readFrame: (index: number) => FramePlanes;
  models: FaceModels;
  /** Called after each frame. */
  onFrame?: () => void;
}

/**
 * Follows the main face, the one that is largest over the whole clip, through all frames.
 * @throws ApplicationFailure `lip_sync_no_face` when no frame shows one.
 */
export async function trackFace(options: TrackOptions): Promise<FaceTrack> {
  const { frames } = options;
  let looks = evenLooks(frames);
  let main = mainFace(await detectFaces(options, looks));
  if (main.size === 0) {
    // A blink of a face between two looks is still a face.
    looks = Array.from({ length: Math.ceil(frames / 3) }, (_value, k) => k * 3);
    main = mainFace(await detectFaces(options, looks));
  }
  if (main.size === 0) throw noFace();
  const track: FaceTrack = Array<undefined>(frames).fill(undefined);
  for (const [k, look] of looks.entries()) {
    const box = main.get(look);
    if (!box) continue;
    // Towards a look that did not find the face it is followed halfway.
    const next = looks[k + 1] ?? frames;
    const isThere = main.has(next) || next === frames;
    await follow(options, track, look, isThere ? next : Math.ceil((look + next) / 2), box);
    const last = looks[k - 1] ?? -1;
    if (last >= 0 && !main.has(last))
      await follow(options, track, look - 1, Math.ceil((look + last) / 2) - 1);
  }
  return smoothTrack(track);
}

/** The first frame, the last, and as many evenly between as needed. */
function evenLooks(frames: number): number[] {
  const steps = Math.max(1, Math.ceil((frames - 1) / detectEvery));
  const looks = Array.from({ length: steps + 1 }, (_value, k) => Math.round((k * (frames - 1)) / steps));
  return [...new Set(looks)];
}

async function detectFaces({ readFrame, models }: TrackOptions, looks: readonly number[]) {
  const found = new Map<number, FaceBox[]>();
  for (const n of looks) {
    const { picture, scale } = shrunk(readFrame(n), detectionSide);
    const boxes = await models.findFaces(picture);
    found.set(
      n,
      boxes.map((box) => ({
        x: box.x * scale,
        y: box.y * scale,
        width: box.width * scale,
        height: box.height * scale,
        score: box.score,
      })),
    );
  }
  return found;
}

/** Joins boxes of one face over time by their overlap, and keeps the face with the largest sum of areas. */
function mainFace(found: Map<number, FaceBox[]>): Map<number, FaceBox> {
  const people: { boxes: Map<number, FaceBox>; last: FaceBox; area: number }[] = [];
  for (const [frame, boxes] of found) {
    for (const box of boxes) {
      const known = people
        .filter(({ boxes: own }) => !own.has(frame))
        .toSorted((a, b) => overlap(b.last, box) - overlap(a.last, box))[0];
      const area = box.width * box.height * box.score;
      if (known && overlap(known.last, box) > 0.25) {
        known.boxes.set(frame, box);
        known.last = box;
        known.area += area;
      } else people.push({ boxes: new Map([[frame, box]]), last: box, area });
    }
  }
  return people.toSorted((a, b) => b.area - a.area)[0]?.boxes ?? new Map<number, FaceBox>();
}

/** Shared area by joint area, 0–1. */
function overlap(a: FaceBox, b: FaceBox): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (a.width * a.height + b.width * b.height - shared);
}

/** Landmarks from `start` up to but without `end`, which may lie before it, each placed by the one before. */
async function follow(
  options: TrackOptions,
  track: FaceTrack,
  start: number,
  end: number,
  box?: FaceBox,
): Promise<void> {
  const step = end > start ? 1 : -1;
  let crop = box ? cropOfBox(box) : cropOfNeighbour(track[start - step]);
  let grid: Uint8Array | undefined;
  for (let n = start; n !== end && crop; n += step) {
    const frame = options.readFrame(n);
    const before = grid;
    grid = lumaGrid(frame);
    if (before && gridDifference(before, grid) > cutDifference) return;
    let points = await landmarksIn(frame, crop, options.models);
    // A detector's box is rough and upright; the second look is at the face as it is turned.
    if (n === start && box) points = await landmarksIn(frame, cropOfLandmarks(points), options.models);
    track[n] = points;
    crop = cropOfLandmarks(points);
    options.onFrame?.();
  }
}

/** A square in the frame: middle, side, and the angle by which it is turned, radians. */
interface Crop {
  x: number;
  y: number;
  side: number;
  angle: number;
}

const cropOfNeighbour = (points: Float64Array | undefined) => points && cropOfLandmarks(points);

const cropOfBox = (box: FaceBox): Crop => ({
  x: box.x + box.width / 2,
  y: box.y + box.height / 2,
  side: box.height,
  angle: 0,
});

/** The square that the detector would put around a face with these landmarks, but turned with it. */
function cropOfLandmarks(points: Float64Array): Crop {
  const at = (n: number) => ({ x: points[n * 2] ?? 0, y: points[n * 2 + 1] ?? 0 });
  const mean = (indices: number[], axis: 'x' | 'y') =>
    indices.reduce((sum, n) => sum + at(n)[axis], 0) / indices.length;
  const right = [36, 37, 38, 39, 40, 41];
  const left = [42, 43, 44, 45, 46, 47];
  const angle = Math.atan2(mean(left, 'y') - mean(right, 'y'), mean(left, 'x') - mean(right, 'x'));
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const eyesX = mean([...right, ...left], 'x');
  const eyesY = mean([...right, ...left], 'y');
  let across: [number, number] = [Infinity, -Infinity];
  for (let n = 0; n < 68; n++) {
    const u = (at(n).x - eyesX) * cos + (at(n).y - eyesY) * sin;
    across = [Math.min(across[0], u), Math.max(across[1], u)];
  }
  const chin = (at(8).y - eyesY) * cos - (at(8).x - eyesX) * sin;
  const middle = (across[0] + across[1]) / 2;
  const down = 0.39 * chin;
  return {
    x: eyesX + middle * cos - down * sin,
    y: eyesY + middle * sin + down * cos,
    side: Math.max(24, 1.6 * chin),
    angle,
  };
}

async function landmarksIn(frame: FramePlanes, crop: Crop, models: FaceModels): Promise<Float64Array> {
  const places = jitters.map(([x, y, size]) => placementOf(crop, x, y, size));
  const pictures = places.map((place) => sampleRgb(frame, place, landmarkSide, landmarkSide).data);
  const answers = await models.findLandmarks(pictures);
  const points = new Float64Array(136);
  for (const [k, answer] of answers.entries()) {
    const place = places[k];
    if (!place) continue;
    for (let n = 0; n < 68; n++) {
      // The network's 0–1 spans whole pixels, a placement counts from their centres.
      const column = (answer[n * 2] ?? 0) - 0.5;
      const row = (answer[n * 2 + 1] ?? 0) - 0.5;
      const x = place.originX + column * place.rightX + row * place.downX;
      const y = place.originY + column * place.rightY + row * place.downY;
      points[n * 2] = (points[n * 2] ?? 0) + x / answers.length;
      points[n * 2 + 1] = (points[n * 2 + 1] ?? 0) + y / answers.length;
    }
  }
  return points;
}

function placementOf({ x, y, side, angle }: Crop, shiftX: number, shiftY: number, size: number): Placement {
  const step = (side * size) / landmarkSide;
  const rightX = step * Math.cos(angle);
  const rightY = step * Math.sin(angle);
  const half = landmarkSide / 2 - 0.5;
  return {
    originX: x + side * shiftX - half * rightX + half * rightY,
    originY: y + side * shiftY - half * rightY - half * rightX,
    rightX,
    rightY,
    downX: -rightY,
    downY: rightX,
  };
}

/** Smooths each run of frames in which the face is seen. */
function smoothTrack(track: FaceTrack): FaceTrack {
  const out: FaceTrack = [...track];
  for (let start = 0; start < track.length; start++) {
    if (track[start] === undefined) continue;
    const run: Float64Array[] = [];
    for (let n = start; n < track.length; n++) {
      const points = track[n];
      if (points === undefined) break;
      run.push(points);
    }
    for (const [n, points] of smoothedVectors(run, smoothingFrames).entries()) out[start + n] = points;
    start += run.length;
  }
  return out;
}
