import sharp from 'sharp';
import type { DrawThumbnailInput, DrawThumbnailResult } from '../../workflows/contract/explainer.js';
import type { ArtifactStore } from '../artifacts.js';
import type { GenerationCache } from '../cached.js';
import { invalidInput } from '../failures.js';
import { withHeartbeat } from '../heartbeat.js';
import type { Composition, RenderUnit } from './composition.js';
import { collectFrames } from './compositor/compose-frames.js';
import { createPictureLoader, type PictureLoader } from './compositor/picture-loader.js';
import { rgbOfFrame } from './frame-pixels.js';
import { renderUnits } from './render-units.js';

export interface DrawThumbnailDeps {
  artifacts: Pick<ArtifactStore, 'fetch' | 'publishBytes' | 'readJson'>;
  cache: GenerationCache;
}

const version = 2;
const longSide = 1280;
/** Scenes that are looked at before the best of them is taken. */
const candidates = 3;
/** Standard deviation of luma below which a picture says nothing: black, or one plain colour. */
const flat = 8;

/**
 * Draws the moment at which a scene is complete, just before it goes, without captions: of the first scenes
 * the first that shows something. Composed anew from the pictures, so nothing has to be decoded.
 */
export function createDrawThumbnail(deps: DrawThumbnailDeps) {
  const loader = createPictureLoader(deps.artifacts);
  return async function drawThumbnail(input: DrawThumbnailInput): Promise<DrawThumbnailResult> {
    return withHeartbeat('thumbnail', 0, async ({ signal }) => {
      const composition = await deps.artifacts.readJson<Composition>(input.composition);
      const moments = completeMoments(composition);
      const { value, cached } = await deps.cache.through<{ thumbnail: string }>(
        { activity: 'draw_thumbnail', version, inputs: moments },
        async () => {
          const webp = await drawMoment(loader, moments, signal);
          const thumbnail = await deps.artifacts.publishBytes(webp, 'webp');
          return { value: { thumbnail }, artifacts: [thumbnail] };
        },
        signal,
      );
      return { ...value, cached };
    });
  };
}

/** The last frame that each of the first scenes has to itself, as units of one frame. */
function completeMoments(composition: Composition): RenderUnit[] {
  return renderUnits(composition)
    .filter((unit) => unit.transition === null)
    .slice(0, candidates)
    .map((unit) => ({
      ...unit,
      frames: 1,
      captions: null,
      shots: unit.shots.map((shot) => ({ ...shot, offset: shot.offset + unit.frames - 1 })),
    }));
}

async function drawMoment(
  loader: PictureLoader,
  moments: readonly RenderUnit[],
  signal: AbortSignal,
): Promise<Buffer> {
  let best: { frame: Uint8Array; unit: RenderUnit; contrast: number } | undefined;
  for (const unit of moments) {
    const frame = await drawOne(unit, loader, signal);
    const contrast = deviation(frame.subarray(0, unit.width * unit.height));
    if (!best || contrast > best.contrast) best = { frame, unit, contrast };
    if (contrast > flat) break;
  }
  if (!best) throw invalidInput({ code: 'no_scenes', detail: 'A video without scenes has no thumbnail.' });
  const { frame, unit } = best;
  const { width, height } = unit;
  return sharp(rgbOfFrame(frame, width, height), { raw: { width, height, channels: 3 } })
    .resize(longSide, longSide, { fit: 'inside', withoutEnlargement: true })
    .webp({ quality: 82 })
    .toBuffer();
}

async function drawOne(unit: RenderUnit, loader: PictureLoader, signal: AbortSignal): Promise<Uint8Array> {
  const [frame = new Uint8Array()] = await collectFrames(unit, [], loader, signal);
  return frame;
}

/** Standard deviation of every 37th sample. */
function deviation(luma: Uint8Array): number {
  let [count, sum, squares] = [0, 0, 0];
  for (let i = 0; i < luma.length; i += 37) {
    const value = luma[i] ?? 0;
    count++;
    sum += value;
    squares += value * value;
  }
  return Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2));
}
