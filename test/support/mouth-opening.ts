import { readFile } from 'node:fs/promises';
import { clipFrameBytes, type RawClip } from '../../activities/lipsync/lip-sync.js';
import { loadFaceModels } from '../../activities/lipsync/viseme/face-models.js';
import { trackFace, type FaceTrack } from '../../activities/lipsync/viseme/face-track.js';
import { planesOf } from '../../activities/lipsync/viseme/frame-planes.js';
import { linesInPicture } from '../../activities/lipsync/viseme/lip-edges.js';
import { linesOfLandmarks } from '../../activities/lipsync/viseme/mouth-lines.js';
import { gapOf } from '../../activities/lipsync/viseme/mouth-pose.js';
import { skullFrame, toPicture } from '../../activities/lipsync/viseme/skull-frame.js';

/** One frame of a raw file. */
export const frameOf = (file: Buffer, clip: RawClip, n: number): Buffer =>
  file.subarray(n * clipFrameBytes(clip), (n + 1) * clipFrameBytes(clip));

/**
 * Landmarks found anew in a clip, and the lips' distance in millimetres that they and the picture tell.
 * @throws Error for a frame without a face
 */
export async function measureMouth(
  clip: RawClip,
): Promise<{ track: FaceTrack; landmarkGaps: number[]; gaps: number[] }> {
  const file = await readFile(clip.path);
  const readFrame = (n: number) => planesOf(frameOf(file, clip, n), clip.width, clip.height);
  const track = await trackFace({ frames: clip.frames, readFrame, models: await loadFaceModels() });
  const lines = track.map((points, n) => {
    if (!points) throw new Error(`no face in frame ${n.toString()}`);
    const skull = skullFrame(points);
    const landmarks = linesOfLandmarks(points, skull);
    return { landmarks, picture: linesInPicture(landmarks, skull, readFrame(n)) };
  });
  return {
    track,
    landmarkGaps: lines.map(({ landmarks }) => gapOf(landmarks)),
    gaps: lines.map(({ picture }) => gapOf(picture)),
  };
}

export interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Pixels in which a mouth that is moved may change: below the eyes, above the collar, between the cheeks. */
export function mouthBox(points: NonNullable<FaceTrack[number]>): Box {
  const skull = skullFrame(points);
  const jaw = linesOfLandmarks(points, skull);
  const corners = [-1, 1].flatMap((side) => [
    toPicture(skull, jaw.middle + side * (jaw.jawHalf + 16), -14),
    toPicture(skull, jaw.middle + side * (jaw.jawHalf + 16), jaw.chin + 32),
  ]);
  return {
    left: Math.min(...corners.map(({ x }) => x)),
    right: Math.max(...corners.map(({ x }) => x)),
    top: Math.min(...corners.map(({ y }) => y)),
    bottom: Math.max(...corners.map(({ y }) => y)),
  };
}

/** Pearson's r. */
export function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [ma, mb] = [mean(a), mean(b)];
  const cov = mean(a.map((value, n) => (value - ma) * ((b[n] ?? 0) - mb)));
  return cov / Math.sqrt(mean(a.map((v) => (v - ma) ** 2)) * mean(b.map((v) => (v - mb) ** 2)));
}
